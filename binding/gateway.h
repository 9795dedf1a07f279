/*
 * gateway.h - GatewayCore: the gateway's end of a session, which outlives links.
 */
#ifndef HAWSER_BINDING_GATEWAY_H
#define HAWSER_BINDING_GATEWAY_H

#include "hawser/gateway.h"

#include "accept.h"
#include "session.h"

namespace hawser_node {

class Gateway : public SessionObject<Gateway> {
public:
  static const napi_type_tag k_tag;
  static Napi::Function define(Napi::Env env);
  using SessionObject::SessionObject;

private:
  friend class SessionObject<Gateway>;

  /* (streams, keylog, ...pairing) -> 0 */
  double init(Args &args);
  /* (accept) -> events */
  double early(Args &args);
  /* (accept, continued, now) -> events */
  double attach(Args &args);

  int set_up(uint16_t streams, std::shared_ptr<Pairing> pairing);
  /* Its core, or NULL with *error set. */
  hawser_accept *core_of(Accept *accept, const Args &args, int *error);

  int core_receive(uint8_t *in, size_t len, size_t *used, uint64_t now) {
    return hawser_receive(session_, in, len, used, now);
  }
  int core_next(hawser_event *event) {
    return hawser_next(session_, event);
  }
  int core_send(uint8_t *out, size_t cap, size_t *len, uint64_t now) {
    return hawser_send(session_, out, cap, len, now);
  }
  uint64_t core_deadline() {
    return hawser_deadline(session_);
  }
  int core_timeout(uint64_t now) {
    return hawser_timeout(session_, now);
  }
  void core_link_down(uint64_t) {
    hawser_link_down(session_);
  }
  int core_digest(uint8_t out[HAWSER_HASH_LEN]) {
    return session_digest(session_, {nullptr, 0}, out);
  }
};

} // namespace hawser_node
#endif
