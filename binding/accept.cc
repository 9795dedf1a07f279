#include "accept.h"

#include "session.h"

#include <cstring>

namespace hawser_node {

const napi_type_tag Accept::k_tag = type_tag(4);

namespace {

/* lib/engine/native/accept.ts knows these, and the event types of the core below them. */
constexpr int k_dropped = 100;

/* What the network did wrong is silence; anything else is an error of this end. */
bool silent(int error) {
  return error == HAWSER_ERR_AUTH || error == HAWSER_ERR_FORMAT || error == HAWSER_ERR_PEER;
}

} // namespace

hawser_chain read_chain(Args &args) {
  hawser_chain chain{};
  Bytes id = args.bytes(HAWSER_NAME_LEN, HAWSER_NAME_LEN);
  chain.b = static_cast<uint32_t>(args.integer(UINT32_MAX));
  chain.i = static_cast<uint32_t>(args.integer(UINT32_MAX));
  Bytes r = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  Bytes next = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  if (args.error() == 0) {
    std::memcpy(chain.id, id.data, sizeof chain.id);
    std::memcpy(chain.r, r.data, sizeof chain.r);
    std::memcpy(chain.next, next.data, sizeof chain.next);
  }
  return chain;
}

void write_chain(const hawser_chain &chain, Scratch &scratch, Bytes id, Bytes r, Bytes next) {
  std::memcpy(id.data, chain.id, sizeof chain.id);
  std::memcpy(r.data, chain.r, sizeof chain.r);
  std::memcpy(next.data, chain.next, sizeof chain.next);
  scratch.header[0] = chain.b;
  scratch.header[1] = chain.i;
}

Napi::Function Accept::define(Napi::Env env) {
  return DefineClass(
      env, "Accept",
      {answers<&Accept::init>("init"), answers<&Accept::receive>("receive"), answers<&Accept::offer_id>("offerId"),
       answers<&Accept::answer_full>("answerFull"), answers<&Accept::offer_ticket>("offerTicket"),
       answers<&Accept::answer_ticket>("answerTicket"), answers<&Accept::digest1>("digest1"),
       answers<&Accept::clone>("clone"), answers<&Accept::continues>("continues"), answers<&Accept::name>("name"),
       answers<&Accept::chain>("chain"), answers<&Accept::handshake>("handshake"), answers<&Accept::wipe>("wipe")});
}

int Accept::refused(const Args &args) const {
  if (args.error() != 0) {
    return args.error();
  }
  return memory_ ? 0 : HAWSER_ERR_STATE;
}

/* NULL: there is none. */
std::shared_ptr<Memory> Accept::allocate() {
  if (spare_) {
    return std::move(spare_);
  }
  auto memory = Memory::make(Env(), sizeof(hawser_accept) + HAWSER_ACCEPT_LEN);
  if (memory) {
    accept_ = memory->take<hawser_accept>();
    buffer_ = memory->take<uint8_t>(HAWSER_ACCEPT_LEN);
  }
  return memory;
}

double Accept::init(Args &args) {
  uint8_t transport = static_cast<uint8_t>(args.integer(UINT8_MAX));
  if (args.error() != 0) {
    return args.error();
  }
  if (memory_) {
    return HAWSER_ERR_STATE;
  }
  auto memory = allocate();
  if (!memory) {
    return HAWSER_ERR_LIMIT;
  }
  int error = hawser_accept_init(accept_, transport, buffer_);
  if (error == HAWSER_OK) {
    memory_ = std::move(memory);
  }
  return error;
}

double Accept::receive(Args &args) {
  Bytes chunk = args.bytes(0, UINT32_MAX);
  uint64_t now = args.milliseconds();
  if (int error = refused(args)) {
    return error;
  }
  hawser_accept_event event{};
  size_t used = 0;
  int error = HAWSER_OK;
  while (error == HAWSER_OK && event.type == HAWSER_ACCEPT_NONE && used < chunk.len) {
    size_t part = 0;
    error = hawser_accept_receive(accept_, chunk.data + used, chunk.len - used, &part, &event);
    used += part;
    if (part == 0) {
      break;
    }
  }
  if (error != HAWSER_OK && !silent(error)) {
    return error;
  }
  now_ = now;
  return report(used, event, error);
}

double Accept::report(size_t used, const hawser_accept_event &event, int error) {
  Scratch &out = scratch();
  out.header[0] = static_cast<uint32_t>(used);
  out.header[1] = static_cast<uint32_t>(event.id_len);
  out.header[2] = event.mode;
  out.header[3] = event.suite;
  out.header[4] = static_cast<uint32_t>(-error);
  if (event.id != nullptr) {
    std::memcpy(out.spill, event.id, event.id_len);
  }
  return error == HAWSER_OK ? event.type : k_dropped;
}

double Accept::offer_id(Args &args) {
  int error = 0;
  auto pairing = Pairing::read(args, &error);
  if (error != 0) {
    return error;
  }
  if (!memory_) {
    return HAWSER_ERR_STATE;
  }
  error = hawser_accept_offer_id(accept_, pairing->core());
  if (error != HAWSER_OK) {
    return silent(error) ? 0 : error;
  }
  pairing_ = std::move(pairing);
  return 1;
}

double Accept::keep_answer(const Bytes &out, size_t len) {
  std::memcpy(answer_, out.data, len);
  answer_len_ = len;
  return static_cast<double>(len);
}

double Accept::answer_full(Args &args) {
  Bytes id = args.bytes(0, HAWSER_CONNECTION_ID_MAX);
  Bytes out = args.bytes(sizeof answer_);
  int error = refused(args);
  size_t len = 0;
  if (error == 0) {
    error = hawser_accept_answer_full(accept_, id.data, id.len, out.data, out.len, &len);
  }
  if (error != HAWSER_OK) {
    return silent(error) ? 0 : error;
  }
  return keep_answer(out, len);
}

double Accept::offer_ticket(Args &args) {
  hawser_chain chain = read_chain(args);
  uint32_t ahead = static_cast<uint32_t>(args.integer(k_ahead_max));
  int error = 0;
  auto pairing = Pairing::read(args, &error);
  hawser_position position{};
  int early = 0;
  if (error == 0) {
    error = memory_ ? hawser_accept_offer_ticket(accept_, pairing->core(), &chain, ahead, &position, &early)
                    : HAWSER_ERR_STATE;
  }
  hawser_port_wipe(&chain, sizeof chain);
  if (error != 0) {
    return silent(error) ? 0 : error;
  }
  pairing_ = std::move(pairing);
  uint32_t *header = scratch().header;
  header[0] = position.b;
  header[1] = position.i;
  header[2] = early ? 1 : 0;
  return 1;
}

double Accept::answer_ticket(Args &args) {
  uint8_t verdict = static_cast<uint8_t>(args.integer(HAWSER_UNKNOWN));
  bool continued = args.boolean();
  Bytes id = args.bytes(0, HAWSER_CONNECTION_ID_MAX);
  Bytes out = args.bytes(sizeof answer_);
  if (int error = refused(args)) {
    return error;
  }
  hawser_gateway_context *context = instance().gateway();
  if (context == nullptr) {
    return HAWSER_ERR_RANDOM;
  }
  size_t len = 0;
  int error =
      hawser_accept_answer_ticket(accept_, context, verdict, continued, id.data, id.len, out.data, out.len, &len);
  return error == HAWSER_OK ? keep_answer(out, len) : error;
}

double Accept::digest1(Args &args) {
  Bytes out = args.bytes(HAWSER_HASH_LEN, HAWSER_HASH_LEN);
  int error = refused(args);
  if (error == 0) {
    std::memcpy(out.data, hawser_accept_digest1(accept_), HAWSER_HASH_LEN);
  }
  return error;
}

double Accept::clone(Args &args) {
  Accept *fresh = from(args);
  Bytes out = args.bytes(sizeof answer_);
  if (int error = refused(args)) {
    return error;
  }
  if (fresh->memory_ || answer_len_ == 0) {
    return HAWSER_ERR_STATE;
  }
  auto memory = fresh->allocate();
  if (!memory) {
    return HAWSER_ERR_LIMIT;
  }
  int error = hawser_accept_clone(fresh->accept_, accept_, fresh->buffer_);
  if (error != HAWSER_OK) {
    return error;
  }
  fresh->memory_ = std::move(memory);
  fresh->pairing_ = pairing_;
  fresh->now_ = now_;
  std::memcpy(out.data, answer_, answer_len_);
  return fresh->keep_answer(out, answer_len_);
}

double Accept::continues(Args &args) {
  Bytes out = args.bytes(HAWSER_NAME_LEN, HAWSER_NAME_LEN);
  int error = refused(args);
  if (error == 0) {
    std::memcpy(out.data, hawser_accept_continues(accept_), HAWSER_NAME_LEN);
  }
  return error;
}

double Accept::name(Args &args) {
  Bytes out = args.bytes(HAWSER_NAME_LEN, HAWSER_NAME_LEN);
  int error = refused(args);
  if (error == 0) {
    std::memcpy(out.data, hawser_accept_name(accept_), HAWSER_NAME_LEN);
  }
  return error;
}

double Accept::chain(Args &args) {
  Bytes id = args.bytes(HAWSER_NAME_LEN, HAWSER_NAME_LEN);
  Bytes r = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  Bytes next = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  if (int error = refused(args)) {
    return error;
  }
  const hawser_chain *chain = hawser_accept_chain(accept_);
  if (chain == nullptr) {
    return 0;
  }
  write_chain(*chain, scratch(), id, r, next);
  return 1;
}

double Accept::handshake(Args &args) {
  if (int error = refused(args)) {
    return error;
  }
  hawser_handshake_info info{};
  hawser_accept_handshake(accept_, &info);
  return write_handshake(info, scratch());
}

double Accept::wipe(Args &args) {
  bool keep = !args.skip_undefined() && args.boolean();
  if (memory_) {
    hawser_accept_wipe(accept_);
  }
  spare_ = keep ? std::move(memory_) : nullptr;
  memory_.reset();
  pairing_.reset();
  hawser_port_wipe(answer_, sizeof answer_);
  answer_len_ = 0;
  return 0;
}

} // namespace hawser_node
