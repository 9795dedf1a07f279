#include "crypto.h"

#include <cstring>

#include "hawser/gateway.h"

#include "accept.h"
#include "args.h"

namespace hawser_node {

namespace {

size_t public_len(uint8_t suite) {
  return suite == HAWSER_SUITE_ID_P256 ? 65 : 32;
}

uint8_t read_suite(Args &args) {
  uint8_t suite = static_cast<uint8_t>(args.integer(HAWSER_SUITE_ID_P256));
  if (suite == HAWSER_SUITE_NONE) {
    args.refuse();
  }
  return suite;
}

/* (suite, secret[32], public[32|65]) -> 0 */
int generate_key(Args &args, Napi::Env) {
  uint8_t suite = read_suite(args);
  Bytes secret = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  Bytes out = args.bytes(public_len(suite), public_len(suite));
  return args.error() != 0 ? args.error() : hawser_port_keygen(suite, secret.data, out.data);
}

/* (suite, secret[32], public[32|65]) -> 0 */
int public_key(Args &args, Napi::Env) {
  uint8_t suite = read_suite(args);
  Bytes secret = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  Bytes out = args.bytes(public_len(suite), public_len(suite));
  return args.error() != 0 ? args.error() : hawser_port_public(suite, secret.data, out.data);
}

/* (suite, secret[32], peer[32|65], out[32]) -> 0 */
int agree(Args &args, Napi::Env) {
  uint8_t suite = read_suite(args);
  Bytes secret = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  Bytes peer = args.bytes(public_len(suite), public_len(suite));
  Bytes out = args.bytes(32, 32);
  return args.error() != 0 ? args.error() : hawser_port_dh(suite, secret.data, peer.data, out.data);
}

/* (ss[32], psk[32] or undefined, id, gateway id, out[64]) -> 0 */
int gate_keys(Args &args, Napi::Env) {
  Bytes ss = args.bytes(32, 32);
  Bytes psk = args.optional_bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  Bytes id = args.bytes(HAWSER_ID_MIN, HAWSER_ID_MAX);
  Bytes gateway_id = args.bytes(HAWSER_ID_MIN, HAWSER_ID_MAX);
  Bytes out = args.bytes(64, 64);
  if (args.error() != 0) {
    return args.error();
  }
  hawser_pairing pairing{};
  std::memcpy(pairing.ss, ss.data, sizeof pairing.ss);
  std::memcpy(pairing.id, id.data, id.len);
  std::memcpy(pairing.gateway_id, gateway_id.data, gateway_id.len);
  pairing.id_len = static_cast<uint8_t>(id.len);
  pairing.gateway_id_len = static_cast<uint8_t>(gateway_id.len);
  int error = hawser_gate_keys(&pairing, psk.data);
  if (error == HAWSER_OK) {
    std::memcpy(out.data, pairing.gate_d2g, 32);
    std::memcpy(out.data + 32, pairing.gate_g2d, 32);
  }
  hawser_port_wipe(&pairing, sizeof pairing);
  return error;
}

/* (out) -> 0 */
int random(Args &args, Napi::Env) {
  Bytes out = args.bytes(0);
  return args.error() != 0 ? args.error() : hawser_port_random(out.data, out.len);
}

/* (b0[32], id, r, next) -> 0; header: b, i */
int chain_start(Args &args, Napi::Env env) {
  Bytes b0 = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  Bytes id = args.bytes(HAWSER_NAME_LEN, HAWSER_NAME_LEN);
  Bytes r = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  Bytes next = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  hawser_chain chain{};
  int error = args.error();
  if (error == 0) {
    error = hawser_chain_start(&chain, b0.data);
  }
  if (error == 0) {
    write_chain(chain, Instance::of(env)->scratch, id, r, next);
  }
  hawser_port_wipe(&chain, sizeof chain);
  return error;
}

/* (id, b, i, r, next, to b, to i, id, r, next) -> 0; header: b, i */
int chain_move(Args &args, Napi::Env env) {
  hawser_chain chain = read_chain(args);
  hawser_position to{};
  to.b = static_cast<uint32_t>(args.integer(UINT32_MAX));
  if (to.b > chain.b && to.b - chain.b > k_ahead_max) {
    args.refuse();
  }
  to.i = static_cast<uint32_t>(args.integer(UINT32_MAX));
  Bytes id = args.bytes(HAWSER_NAME_LEN, HAWSER_NAME_LEN);
  Bytes r = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  Bytes next = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  int error = args.error();
  if (error == 0) {
    error = hawser_chain_move(&chain, to);
  }
  if (error == 0) {
    write_chain(chain, Instance::of(env)->scratch, id, r, next);
  }
  hawser_port_wipe(&chain, sizeof chain);
  return error;
}

/* Writes ticket k of the chain as the next of the list: 16 bytes, b, i (in the machine's order), ticket. */
int put_ticket(const hawser_chain &chain, uint32_t k, uint8_t *row) {
  hawser_position position{};
  int error = hawser_chain_ticket(&chain, k, &position, row + 8);
  std::memcpy(row, &position.b, 4);
  std::memcpy(row + 4, &position.i, 4);
  return error;
}

/* (id, b, i, r, next, ahead, out[16 * (2 + ahead)]) -> tickets. Walks the blocks, so that each costs two derivations. */
int chain_tickets(Args &args, Napi::Env) {
  hawser_chain chain = read_chain(args);
  uint32_t ahead = static_cast<uint32_t>(args.integer(k_ahead_max));
  Bytes out = args.bytes(16 * (size_t{2} + ahead));
  int error = args.error();
  int count = 0;
  for (uint32_t k = 0; error == 0 && k < 2; k++) { /* (b, i), (b, i+1) */
    error = put_ticket(chain, k, out.data + 16 * count);
    count += error == 0 ? 1 : 0;
    error = error == HAWSER_ERR_LIMIT ? 0 : error;
  }
  for (uint32_t j = 0; error == 0 && j < ahead && chain.b < UINT32_MAX; j++) {
    error = hawser_chain_move(&chain, {chain.b + 1, 0});
    if (error == 0) {
      error = put_ticket(chain, 0, out.data + 16 * count);
      count += error == 0 ? 1 : 0;
    }
  }
  hawser_port_wipe(&chain, sizeof chain);
  return error == 0 ? count : error;
}

template <int (*function)(Args &, Napi::Env)> Napi::Value answer(const Napi::CallbackInfo &info) {
  Args args(info);
  return Napi::Number::New(info.Env(), function(args, info.Env()));
}

template <int (*function)(Args &, Napi::Env)> void define(Napi::Env env, Napi::Object exports, const char *name) {
  exports[name] = Napi::Function::New<answer<function>>(env, name);
}

} // namespace

void define_crypto(Napi::Env env, Napi::Object exports) {
  define<generate_key>(env, exports, "generateKey");
  define<public_key>(env, exports, "publicKey");
  define<agree>(env, exports, "agree");
  define<gate_keys>(env, exports, "gateKeys");
  define<random>(env, exports, "random");
  define<chain_start>(env, exports, "chainStart");
  define<chain_move>(env, exports, "chainMove");
  define<chain_tickets>(env, exports, "chainTickets");
}

} // namespace hawser_node
