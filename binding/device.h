/*
 * device.h - DeviceCore: a hawser_device with all memory that it needs.
 */
#ifndef HAWSER_BINDING_DEVICE_H
#define HAWSER_BINDING_DEVICE_H

#include "hawser/device.h"

#include "session.h"

namespace hawser_node {

class Device : public SessionObject<Device> {
public:
  static const napi_type_tag k_tag;
  static Napi::Function define(Napi::Env env);
  using SessionObject::SessionObject;

private:
  friend class SessionObject<Device>;
  static constexpr size_t k_name_cap = HAWSER_UPSTREAM_MAX + 1;

  /* (streams, keylog, ...pairing) -> 0 */
  double init(Args &args);
  /* (slot0, slot1) -> 0, or 1 + the slot to wipe */
  double boot(Args &args);
  /* (transport, now, stream, data, fin, idempotent) -> bit 0: early data rides along, bit 1: resumption */
  double connect(Args &args);
  /* (now) -> 0 */
  double disconnected(Args &args);
  /* (ok) -> 0 */
  double stored(Args &args);
  /* (name, kind) -> stream */
  double open(Args &args);
  /* (kind, blob[256]) -> length */
  double save(Args &args);
  /* (blob) -> 0 */
  double restore(Args &args);
  /* (stream, name) -> 0 */
  double name_stream(Args &args);
  /* () -> 0: none, or 1; header: kind, sent, received, ecdh, verdict */
  double handshake(Args &args);

  int set_up(uint16_t streams, std::shared_ptr<Pairing> pairing);
  char *name_of(size_t stream) {
    return names_ + stream * k_name_cap;
  }

  int core_receive(uint8_t *in, size_t len, size_t *used, uint64_t now) {
    return hawser_device_receive(device_, in, len, used, now);
  }
  int core_next(hawser_event *event) {
    return hawser_device_next(device_, event);
  }
  int core_send(uint8_t *out, size_t cap, size_t *len, uint64_t now) {
    return hawser_device_send(device_, out, cap, len, now);
  }
  uint64_t core_deadline() {
    return hawser_device_deadline(device_);
  }
  int core_timeout(uint64_t now) {
    return hawser_device_timeout(device_, now);
  }
  void core_link_down(uint64_t now) {
    hawser_disconnected(device_, now);
  }
  int core_digest(uint8_t out[HAWSER_HASH_LEN]);

  hawser_device *device_ = nullptr; /* in memory_, as are the names of the streams: one each, and a spare */
  char *names_ = nullptr;
};

} // namespace hawser_node
#endif
