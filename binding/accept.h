/*
 * accept.h - AcceptCore: the gateway's end of one link until its first valid record.
 */
#ifndef HAWSER_BINDING_ACCEPT_H
#define HAWSER_BINDING_ACCEPT_H

#include "hawser/gateway.h"

#include "memory.h"
#include "object.h"
#include "pairing.h"

namespace hawser_node {

class Accept : public Object<Accept> {
public:
  static const napi_type_tag k_tag;
  static Napi::Function define(Napi::Env env);
  using Object::Object;

  /* NULL before init and after wipe. */
  hawser_accept *core() {
    return memory_ ? accept_ : nullptr;
  }
  /* When bytes came last, on the caller's clock. */
  uint64_t now() const {
    return now_;
  }

private:
  /* (transport) -> 0 */
  double init(Args &args);
  /* (chunk, now) -> kind of event; header: used, length in the spill, mode, suite, error */
  double receive(Args &args);
  /* (...pairing) -> 1, or 0: silence */
  double offer_id(Args &args);
  /* (connection id, out) -> length, or 0: silence */
  double answer_full(Args &args);
  /* (id, b, i, r, next, ahead, ...pairing) -> 1, or 0: not this device; header: b, i, early */
  double offer_ticket(Args &args);
  /* (verdict, continued, connection id, out) -> length */
  double answer_ticket(Args &args);
  /* (out[32]) -> 0 */
  double digest1(Args &args);
  /* (fresh, out) -> length of message 2 */
  double clone(Args &args);
  /* (out[8]) -> 0 */
  double continues(Args &args);
  double name(Args &args);
  /* (id[8], r[32], next[32]) -> 1, or 0: there is none; header: b, i */
  double chain(Args &args);
  /* () -> 0: none, or 1; header: kind, sent, received, ecdh, verdict */
  double handshake(Args &args);
  /* (keep) -> 0; keep: the memory, wiped, for another init(): objects of several KiB are dear to allocate */
  double wipe(Args &args);

  int refused(const Args &args) const;
  std::shared_ptr<Memory> allocate();
  double report(size_t used, const hawser_accept_event &event, int error);
  double keep_answer(const Bytes &out, size_t len);

  std::shared_ptr<Memory> memory_, spare_;
  std::shared_ptr<Pairing> pairing_;
  hawser_accept *accept_ = nullptr; /* in memory_, or spare_ */
  uint8_t *buffer_ = nullptr;
  uint8_t answer_[HAWSER_SEND_MIN + HAWSER_CONNECTION_ID_MAX]; /* for clones; it was sent, so it is no secret */
  size_t answer_len_ = 0;
  uint64_t now_ = 0;
};

/* A chain in five arguments: id, b, i, r, next. */
hawser_chain read_chain(Args &args);
/* Copies a chain out; b and i into the header. */
void write_chain(const hawser_chain &chain, Scratch &scratch, Bytes id, Bytes r, Bytes next);
/* Blocks ahead that may be asked for: each costs derivations. */
constexpr uint32_t k_ahead_max = 4096;

} // namespace hawser_node
#endif
