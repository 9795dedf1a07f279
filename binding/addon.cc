/*
 * addon.cc - what the addon exports. lib/engine/native/addon.ts is its only caller and describes every call; nothing here
 * throws: wrong arguments and errors of the core come back as negative numbers (args.h).
 */
#include <napi.h>

#include "accept.h"
#include "args.h"
#include "crypto.h"
#include "device.h"
#include "gateway.h"
#include "instance.h"
#include "keys.h"
#if defined(HAWSER_SEEDED)
#include "seeded.h"
#endif

namespace hawser_node {

namespace {

#if defined(HAWSER_PORT_OPENSSL)
constexpr char k_name[] = "native-openssl";
#elif defined(HAWSER_PORT_MBEDTLS)
constexpr char k_name[] = "native-mbedtls";
#else
#error "HAWSER_PORT_OPENSSL or HAWSER_PORT_MBEDTLS"
#endif

Napi::Value live_objects(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Instance::of(info.Env())->live));
}

/* (length) -> Buffer, or undefined */
Napi::Value lend(const Napi::CallbackInfo &info) {
  Args args(info);
  size_t len = static_cast<size_t>(args.integer(Loans::slab_len));
  return args.error() == 0 ? Instance::of(info.Env())->loans->lend(info.Env(), len) : info.Env().Undefined();
}

} // namespace

static Napi::Object start(Napi::Env env, Napi::Object exports) {
  if (!Instance::create(env, exports)) {
    Napi::Error::New(env, "out of memory").ThrowAsJavaScriptException();
    return exports;
  }
  exports["name"] = Napi::String::New(env, k_name);
  exports["Secret"] = Secret::define(env);
  exports["Device"] = Device::define(env);
  exports["Gateway"] = Gateway::define(env);
  exports["Accept"] = Accept::define(env);
  exports["liveObjects"] = Napi::Function::New<live_objects>(env, "liveObjects");
  exports["lend"] = Napi::Function::New<lend>(env, "lend");
  define_crypto(env, exports);
#if defined(HAWSER_SEEDED)
  define_seeded(env, exports);
#endif
  return exports;
}

NODE_API_MODULE(hawser, start)

} // namespace hawser_node
