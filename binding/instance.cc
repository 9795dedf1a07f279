#include "instance.h"

#include "object.h"

namespace hawser_node {

namespace {
/* Objects hold the instance too, because the order of finalisers at the end of an environment is Node's affair. */
using Holder = std::shared_ptr<Instance>;

void release(napi_env, void *data, void *) {
  delete static_cast<Holder *>(data);
}
} // namespace

bool Instance::create(Napi::Env env, Napi::Object exports) {
  auto instance = std::make_shared<Instance>();
  void *memory = nullptr;
  napi_value buffer = nullptr;
  napi_ref kept = nullptr; /* until the environment ends, which deletes it */
  if (napi_create_arraybuffer(env, Scratch::len, &memory, &buffer) != napi_ok ||
      napi_create_reference(env, buffer, 1, &kept) != napi_ok) {
    return false;
  }
  instance->scratch.header = static_cast<uint32_t *>(memory);
  instance->scratch.events = instance->scratch.header + Scratch::header_words;
  instance->scratch.spill = static_cast<uint8_t *>(memory) + Scratch::spill_at;
  exports["scratch"] = Napi::Value(env, buffer);

  auto holder = std::make_unique<Holder>(instance);
  if (napi_set_instance_data(env, holder.get(), release, nullptr) != napi_ok) {
    return false;
  }
  (void)holder.release();
  return true;
}

std::shared_ptr<Instance> Instance::of(Napi::Env env) {
  void *data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Holder *>(data);
}

napi_type_tag type_tag(uint64_t number) {
  static const char image = 0;
  return {0x6861777365720000 + number, static_cast<uint64_t>(reinterpret_cast<uintptr_t>(&image))};
}

Instance::~Instance() {
  hawser_port_wipe(&gateway_, sizeof gateway_);
}

hawser_gateway_context *Instance::gateway() {
  if (!gateway_ready_) {
    gateway_ready_ = hawser_gateway_init(&gateway_) == HAWSER_OK;
  }
  return gateway_ready_ ? &gateway_ : nullptr;
}

} // namespace hawser_node
