/*
 * args.h - reads a call's arguments without trusting them. Nothing is converted: a wrong type is an error.
 *
 * A method answers with an int: 0 or more is its result, -1 .. -12 an error of the core (hawser/error.h), and
 * bad_argument(i) says that argument i had the wrong type or was out of range. lib/engine/native.ts makes errors of them.
 */
#ifndef HAWSER_BINDING_ARGS_H
#define HAWSER_BINDING_ARGS_H

#include <cstddef>
#include <cstdint>
#include <string>

#include <napi.h>

namespace hawser_node {

constexpr int bad_argument(size_t index) {
  return -100 - static_cast<int>(index);
}

constexpr uint64_t k_number_max = uint64_t{1} << 48;

/* The caller's memory: valid until JavaScript runs again. */
struct Bytes {
  uint8_t *data = nullptr;
  size_t len = 0;
};

/* Reads in order; the first wrong argument is remembered, and later reads still return harmless values. */
class Args {
public:
  explicit Args(const Napi::CallbackInfo &info) : info_(info) {
  }

  /* A Uint8Array (Buffer) over memory of its own thread; a SharedArrayBuffer's bytes could change under the cipher. */
  Bytes bytes(size_t min, size_t max = SIZE_MAX);
  /* The same, or undefined: data is NULL. */
  Bytes optional_bytes(size_t min, size_t max);
  /* An integer 0 .. max. */
  uint64_t integer(uint64_t max);
  /* Milliseconds, 0 .. 2^48; a fraction (performance.now()) is cut off. */
  uint64_t milliseconds();
  bool boolean();
  /* ASCII, min .. max characters. */
  std::string ascii(size_t min, size_t max);
  Napi::Value any();
  /* Passes over an argument that was left out. */
  bool skip_undefined();

  /* The last argument read was wrong for a reason that only the caller knows. */
  void refuse();

  /* 0, or bad_argument() of the first wrong one. */
  int error() const {
    return error_;
  }

private:
  bool number(double *out);

  const Napi::CallbackInfo &info_;
  size_t next_ = 0;
  int error_ = 0;
};

} // namespace hawser_node
#endif
