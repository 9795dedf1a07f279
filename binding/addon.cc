/*
 * addon.cc - what the addon exports. lib/engine/native/addon.ts is its only caller and describes every call; nothing here
 * throws: wrong arguments and errors of the core come back as negative numbers (args.h).
 */
#include <napi.h>

#include "accept.h"
#include "crypto.h"
#include "device.h"
#include "gateway.h"
#include "instance.h"
#include "keys.h"

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
  define_crypto(env, exports);
  return exports;
}

NODE_API_MODULE(hawser, start)

} // namespace hawser_node
