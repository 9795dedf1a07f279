/*
 * memory.h - the one allocation behind a native object: zeroed when made, wiped before it is freed.
 */
#ifndef HAWSER_BINDING_MEMORY_H
#define HAWSER_BINDING_MEMORY_H

#include <cstddef>
#include <cstdlib>
#include <memory>

#include <napi.h>

#include "hawser/port.h"

namespace hawser_node {

class Memory {
public:
  /* NULL if there is none. The garbage collector is told how much hangs on the object. */
  static std::shared_ptr<Memory> make(napi_env env, size_t len) {
    auto *bytes = static_cast<uint8_t *>(std::calloc(1, len));
    if (bytes == nullptr) {
      return nullptr;
    }
    return std::make_shared<Memory>(env, bytes, len);
  }

  Memory(napi_env env, uint8_t *bytes, size_t len) : env_(env), bytes_(bytes), len_(len) {
    adjust(static_cast<int64_t>(len));
  }
  ~Memory() {
    hawser_port_wipe(bytes_, len_);
    std::free(bytes_);
    adjust(-static_cast<int64_t>(len_));
  }
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  /* The next `count` objects of T, zeroed. */
  template <class T> T *take(size_t count = 1) {
    used_ = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
    T *at = reinterpret_cast<T *>(bytes_ + used_);
    used_ += count * sizeof(T);
    return used_ <= len_ ? at : nullptr;
  }

private:
  void adjust(int64_t change) {
    int64_t total = 0;
    napi_adjust_external_memory(env_, change, &total);
  }

  napi_env env_;
  uint8_t *bytes_;
  size_t len_, used_ = 0;
};

} // namespace hawser_node
#endif
