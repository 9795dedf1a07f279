/*
 * instance.h - what one environment (main thread or worker) has of its own. There is no other mutable state outside of
 * the objects.
 */
#ifndef HAWSER_BINDING_INSTANCE_H
#define HAWSER_BINDING_INSTANCE_H

#include <cstddef>
#include <cstdint>
#include <memory>

#include <napi.h>

#include "hawser/gateway.h"

#include "loans.h"

namespace hawser_node {

/*
 * Results that are more than one number go through memory that both sides know, so that no object is made for them:
 *
 *   header  8 words, meaning per method
 *   events  k_events_max x 8 words: type, stream, value, offset low, offset high, source, data offset, data length
 *   spill   bytes of events whose data is not in the caller's chunk
 *
 * A call overwrites it; lib/engine/native.ts reads it before the next.
 */
struct Scratch {
  static constexpr size_t header_words = 8;
  static constexpr size_t event_words = 8;
  static constexpr size_t events_max = 512;
  static constexpr size_t spill_len = 65536;
  static constexpr size_t spill_at = 4 * (header_words + event_words * events_max);
  static constexpr size_t len = spill_at + spill_len;

  uint32_t *header;
  uint32_t *events;
  uint8_t *spill;
};

class Instance {
public:
  /* Once per environment: makes the instance data, and `scratch` of exports. */
  static bool create(Napi::Env env, Napi::Object exports);
  static std::shared_ptr<Instance> of(Napi::Env env);

  Instance() = default;
  ~Instance();
  Instance(const Instance &) = delete;
  Instance &operator=(const Instance &) = delete;

  /* Made at its first use; NULL if there are no random bytes. */
  hawser_gateway_context *gateway();
#if defined(HAWSER_SEEDED)
  void forget_gateway() {
    gateway_ready_ = false;
  }
#endif

  Scratch scratch{};
  /* Native objects that were made and not yet finalised; for tests. */
  int64_t live = 0;
  /* What applications hold of what they received. */
  std::shared_ptr<Loans> loans = std::make_shared<Loans>();

private:
  hawser_gateway_context gateway_{};
  bool gateway_ready_ = false;
};

} // namespace hawser_node
#endif
