#include "args.h"

#include <cmath>

namespace hawser_node {

void Args::refuse() {
  if (error_ == 0) {
    error_ = bad_argument(next_ - 1);
  }
}

Napi::Value Args::any() {
  return info_[next_++];
}

bool Args::skip_undefined() {
  bool undefined = info_[next_].IsUndefined();
  next_ += undefined ? 1 : 0;
  return undefined;
}

Bytes Args::bytes(size_t min, size_t max) {
  napi_env env = info_.Env();
  napi_value value = info_[next_++];
  napi_typedarray_type type = napi_int8_array;
  napi_value buffer = nullptr;
  void *data = nullptr;
  size_t len = 0;
  bool own_memory = false; /* napi_is_arraybuffer says no to a SharedArrayBuffer */
  bool ok = napi_get_typedarray_info(env, value, &type, &len, &data, &buffer, nullptr) == napi_ok &&
            type == napi_uint8_array && napi_is_arraybuffer(env, buffer, &own_memory) == napi_ok && own_memory;
  if (!ok || len < min || len > max || (len > 0 && data == nullptr)) {
    refuse();
    return {};
  }
  return {static_cast<uint8_t *>(data), len};
}

Bytes Args::optional_bytes(size_t min, size_t max) {
  return skip_undefined() ? Bytes{} : bytes(min, max);
}

bool Args::number(double *out) {
  if (napi_get_value_double(info_.Env(), info_[next_++], out) == napi_ok) {
    return true;
  }
  refuse();
  return false;
}

uint64_t Args::integer(uint64_t max) {
  double value = 0;
  if (!number(&value)) {
    return 0;
  }
  if (!(value >= 0 && value <= static_cast<double>(max)) || value != std::floor(value)) { /* NaN fails too */
    refuse();
    return 0;
  }
  return static_cast<uint64_t>(value);
}

uint64_t Args::milliseconds() {
  double value = 0;
  if (!number(&value)) {
    return 0;
  }
  if (!(value >= 0 && value <= static_cast<double>(k_number_max))) {
    refuse();
    return 0;
  }
  return static_cast<uint64_t>(value);
}

bool Args::boolean() {
  bool value = false;
  if (napi_get_value_bool(info_.Env(), info_[next_++], &value) != napi_ok) {
    refuse();
  }
  return value;
}

std::string Args::ascii(size_t min, size_t max) {
  Napi::Value value = info_[next_++];
  size_t len = 0;
  if (!value.IsString() || napi_get_value_string_utf8(info_.Env(), value, nullptr, 0, &len) != napi_ok || len < min ||
      len > max) {
    refuse();
    return {};
  }
  std::string text = value.As<Napi::String>();
  for (char c : text) {
    if (c <= 0x20 || c >= 0x7f) { /* as signed char, non-ASCII bytes are below as well */
      refuse();
      return {};
    }
  }
  return text;
}

} // namespace hawser_node
