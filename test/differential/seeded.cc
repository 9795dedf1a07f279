/*
 * seeded.cc - see seeded.h. The linker's --wrap puts these in the place of the port's own for everything outside of the
 * port; test/differential/engines.ts has the same generator.
 */
#include "seeded.h"

#include "hawser/error.h"
#include "hawser/port.h"

#include "instance.h"

namespace {

thread_local uint32_t state = 1;

/* mulberry32 */
uint8_t next_byte() {
  state += 0x6d2b79f5u;
  uint32_t t = (state ^ state >> 15) * (1u | state);
  t = (t + (t ^ t >> 7) * (61u | t)) ^ t;
  return static_cast<uint8_t>((t ^ t >> 14) >> 24);
}

Napi::Value seed(const Napi::CallbackInfo &info) {
  state = info[0].As<Napi::Number>().Uint32Value();
  return info.Env().Undefined();
}

Napi::Value restart(const Napi::CallbackInfo &info) {
  hawser_node::Instance::of(info.Env())->forget_gateway();
  return info.Env().Undefined();
}

} // namespace

extern "C" int __wrap_hawser_port_random(uint8_t *out, size_t len) {
  for (size_t i = 0; i < len; i++) {
    out[i] = next_byte();
  }
  return HAWSER_OK;
}

/* The port's own draws inside of its file, where --wrap does not reach. */
extern "C" int __wrap_hawser_port_keygen(uint8_t suite, uint8_t secret[HAWSER_KEY_LEN],
                                         uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  (void)__wrap_hawser_port_random(secret, HAWSER_KEY_LEN);
  return hawser_port_public(suite, secret, public_key);
}

namespace hawser_node {

void define_seeded(Napi::Env env, Napi::Object exports) {
  exports["seed"] = Napi::Function::New(env, seed, "seed");
  exports["restart"] = Napi::Function::New(env, restart, "restart");
}

} // namespace hawser_node
