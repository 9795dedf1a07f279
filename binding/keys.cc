#include "keys.h"

#include <cstring>

#include "hawser/error.h"

namespace hawser_node {

const napi_type_tag Secret::k_tag = type_tag(1);

Key::Key(const uint8_t raw[HAWSER_KEY_LEN]) {
  std::memcpy(raw_, raw, sizeof raw_);
}

Key::~Key() {
  for (hawser_key handle : handles_) {
    if (handle != 0) {
      port_free(handle);
    }
  }
  hawser_port_wipe(raw_, sizeof raw_);
}

hawser_key Key::handle(KeyUse use) {
  hawser_key &handle = handles_[static_cast<size_t>(use)];
  if (handle == 0) {
    handle = port_import(use, raw_);
  }
  return handle;
}

const uint8_t *Key::public_key(uint8_t suite) {
  if (suite >= public_.size()) {
    return nullptr;
  }
  Public &entry = public_[suite];
  if (!entry.known) {
    entry.known = hawser_port_public(suite, raw_, entry.bytes) == HAWSER_OK;
  }
  return entry.known ? entry.bytes : nullptr;
}

Napi::Function Secret::define(Napi::Env env) {
  return DefineClass(env, "Secret", {answers<&Secret::init>("init"), answers<&Secret::release>("release")});
}

std::shared_ptr<Key> Secret::optional(Args &args) {
  if (args.skip_undefined()) {
    return nullptr;
  }
  Secret *secret = from(args);
  if (secret != nullptr && !secret->key_) {
    args.refuse();
  }
  return secret != nullptr ? secret->key_ : nullptr;
}

double Secret::init(Args &args) {
  static const uint8_t zero[HAWSER_KEY_LEN] = {0};
  Bytes raw = args.bytes(HAWSER_KEY_LEN, HAWSER_KEY_LEN);
  if (args.error() == 0 && hawser_port_equal(raw.data, zero, sizeof zero)) {
    args.refuse();
  }
  if (args.error() != 0) {
    return args.error();
  }
  key_ = std::make_shared<Key>(raw.data);
  return 0;
}

double Secret::release(Args &) {
  key_.reset();
  return 0;
}

} // namespace hawser_node
