/*
 * session.h - what a device and a gateway's session have in common: the verbs in batches. T supplies the core's verbs
 * for its side (core_receive, core_next, core_send, core_deadline, core_timeout, core_link_down).
 */
#ifndef HAWSER_BINDING_SESSION_H
#define HAWSER_BINDING_SESSION_H

#include <cmath>
#include <cstring>
#include <vector>

#include "hawser/hawser.h"

#include "events.h"
#include "keys.h"
#include "memory.h"
#include "object.h"
#include "pairing.h"

namespace hawser_node {

constexpr uint64_t k_streams_max = 4096;

/* SHA-256 of a session's state; pointers and what lies beyond a buffer's length are no state. */
int session_digest(const hawser_session *session, hawser_bytes more, uint8_t out[HAWSER_HASH_LEN]);

/* Figures of a handshake into the header: kind, sent, received, ecdh, verdict. 0: there was none yet, else 1. */
int write_handshake(const hawser_handshake_info &info, Scratch &scratch);

template <class T> class SessionObject : public Object<T> {
public:
  using Object<T>::Object;

protected:
  using Method = typename Object<T>::Method;

  /* The methods of SessionCore (lib/engine/native/addon.ts says what each returns). */
  static std::vector<Method> verbs() {
    using O = Object<T>;
    using S = SessionObject;
    return {
        O::template answers<&S::live>("live"),          O::template answers<&S::name>("name"),
        O::template answers<&S::receive>("receive"),    O::template answers<&S::timeout>("timeout"),
        O::template answers<&S::more>("more"),          O::template answers<&S::send>("send"),
        O::template answers<&S::write>("write"),        O::template answers<&S::window>("window"),
        O::template answers<&S::message>("message"),    O::template answers<&S::consume>("consume"),
        O::template answers<&S::reset>("reset"),        O::template answers<&S::ping>("ping"),
        O::template answers<&S::close>("close"),        O::template answers<&S::deadline>("deadline"),
        O::template answers<&S::link_down>("linkDown"), O::template answers<&S::keys>("keys"),
        O::template answers<&S::digest>("digest"),      O::template answers<&S::wipe>("wipe"),
    };
  }

  double live(Args &) {
    return ready() ? hawser_is_live(session_) : 0;
  }

  double name(Args &args) {
    Bytes out = args.bytes(HAWSER_NAME_LEN, HAWSER_NAME_LEN);
    if (int error = refused(args)) {
      return error;
    }
    std::memcpy(out.data, session_->name, HAWSER_NAME_LEN);
    return 0;
  }

  /* (chunk, from, now) -> events; header: used, more, error */
  double receive(Args &args) {
    Bytes chunk = args.bytes(0, UINT32_MAX);
    size_t from = static_cast<size_t>(args.integer(chunk.len));
    uint64_t now = args.milliseconds();
    if (int error = refused(args)) {
      return error;
    }
    KeysKept kept;
    start(chunk);
    if (events_.count() > 0) { /* of the call before */
      return finish(from, from < chunk.len, HAWSER_OK);
    }
    int error = drain();
    size_t at = from;
    while (error == HAWSER_OK && at < chunk.len && events_.room()) {
      size_t used = 0;
      error = self()->core_receive(chunk.data + at, chunk.len - at, &used, now);
      if (error == HAWSER_ERR_STATE) {
        bool first = at == from && events_.count() == 0;
        return first ? static_cast<double>(error) : finish(chunk.len, false, HAWSER_OK);
      }
      at += used;
      int broken = drain(); /* also after an error: streams may have ended */
      error = error == HAWSER_OK ? broken : error;
      if (used == 0) {
        break;
      }
    }
    return finish(at, error == HAWSER_OK && at < chunk.len, error);
  }

  /* (now) -> events */
  double timeout(Args &args) {
    uint64_t now = args.milliseconds();
    if (int error = fresh(args)) {
      return error;
    }
    int error = self()->core_timeout(now);
    return error == HAWSER_OK ? drained() : error;
  }

  /* () -> events that did not fit */
  double more(Args &args) {
    if (int error = refused(args)) {
      return error;
    }
    start({});
    return finish(0, false, HAWSER_OK);
  }

  /* (out, at, now) -> bytes */
  double send(Args &args) {
    Bytes out = args.bytes(0);
    size_t at = static_cast<size_t>(args.integer(out.len));
    uint64_t now = args.milliseconds();
    if (int error = refused(args)) {
      return error;
    }
    size_t len = 0;
    int error = send_all({out.data + at, out.len - at}, &len, now);
    return len > 0 || error == HAWSER_OK ? static_cast<double>(len) : error;
  }

  /* (stream, data, fin, now, out, at) -> bytes; header: taken, fin taken */
  double write(Args &args) {
    uint16_t stream = static_cast<uint16_t>(args.integer(UINT16_MAX));
    Bytes data = args.bytes(0);
    bool fin = args.boolean();
    uint64_t now = args.milliseconds();
    Bytes out = args.bytes(0);
    size_t at = static_cast<size_t>(args.integer(out.len));
    if (int error = refused(args)) {
      return error;
    }
    return write_all(stream, data, fin, now, {out.data + at, out.len - at});
  }

  /* (stream) -> bytes */
  double window(Args &args) {
    uint16_t stream = static_cast<uint16_t>(args.integer(UINT16_MAX));
    if (int error = refused(args)) {
      return error;
    }
    size_t len = 0, taken = 0;
    int fin_taken = 0;
    /* writes nothing: tells a shut window from a stream that is not there */
    int error = hawser_write(session_, stream, nullptr, 0, 0, nullptr, 0, &len, &taken, &fin_taken, session_->now_ms);
    return error == HAWSER_ERR_CLOSED ? error : static_cast<double>(hawser_window(session_, stream));
  }

  /* (stream, data, now, out, at) -> bytes */
  double message(Args &args) {
    uint16_t stream = static_cast<uint16_t>(args.integer(UINT16_MAX));
    Bytes data = args.bytes(0);
    uint64_t now = args.milliseconds();
    Bytes out = args.bytes(0);
    size_t at = static_cast<size_t>(args.integer(out.len));
    if (int error = refused(args)) {
      return error;
    }
    return message_all(stream, data, now, {out.data + at, out.len - at});
  }

  double consume(Args &args) {
    uint16_t stream = static_cast<uint16_t>(args.integer(UINT16_MAX));
    size_t bytes = static_cast<size_t>(args.integer(k_number_max));
    int error = refused(args);
    return error == 0 ? hawser_consume(session_, stream, bytes) : error;
  }

  double reset(Args &args) {
    uint16_t stream = static_cast<uint16_t>(args.integer(UINT16_MAX));
    uint8_t code = static_cast<uint8_t>(args.integer(UINT8_MAX));
    int error = refused(args);
    return error == 0 ? hawser_reset(session_, stream, code) : error;
  }

  double ping(Args &args) {
    uint64_t now = args.milliseconds();
    int error = refused(args);
    return error == 0 ? hawser_ping(session_, now) : error;
  }

  double close(Args &args) {
    uint8_t code = static_cast<uint8_t>(args.integer(UINT8_MAX));
    int error = refused(args);
    return error == 0 ? hawser_close(session_, code) : error;
  }

  double deadline(Args &args) {
    if (int error = refused(args)) {
      return error;
    }
    uint64_t at = self()->core_deadline();
    return at == UINT64_MAX ? HUGE_VAL : static_cast<double>(at);
  }

  double link_down(Args &args) {
    if (int error = refused(args)) {
      return error;
    }
    self()->core_link_down(session_->now_ms);
    return 0;
  }

  /* (out[64]) -> 1, or 0: there is no key log or no link */
  double keys(Args &args) {
    Bytes out = args.bytes(2 * HAWSER_KEY_LEN, 2 * HAWSER_KEY_LEN);
    if (int error = refused(args)) {
      return error;
    }
    return keylog_ && hawser_link_keys(session_, out.data, out.data + HAWSER_KEY_LEN) == HAWSER_OK ? 1 : 0;
  }

  /* (out[32]) -> 0 */
  double digest(Args &args) {
    Bytes out = args.bytes(HAWSER_HASH_LEN, HAWSER_HASH_LEN);
    int error = refused(args);
    return error == 0 ? self()->core_digest(out.data) : error;
  }

  double wipe(Args &) {
    memory_.reset();
    pairing_.reset();
    events_.clear();
    return 0;
  }

  /* What is wrong with the arguments or, if nothing is, with the object: it was not initialised, or was wiped. */
  int refused(const Args &args) const {
    if (args.error() != 0) {
      return args.error();
    }
    return ready() ? 0 : HAWSER_ERR_STATE;
  }

  /* The same before a call that makes events: those of an earlier one must have been read. */
  int fresh(const Args &args) {
    int error = refused(args);
    if (error == 0 && events_.overflowed()) {
      error = HAWSER_ERR_STATE;
    }
    if (error == 0) {
      start({});
    }
    return error;
  }

  bool ready() const {
    return memory_ != nullptr;
  }

  /* All events that the core has; then the call's answer. */
  double drained() {
    return finish(0, false, drain());
  }

  std::shared_ptr<Memory> memory_;
  std::shared_ptr<Pairing> pairing_;
  hawser_session *session_ = nullptr; /* in memory_ */
  bool keylog_ = false;

private:
  T *self() {
    return static_cast<T *>(this);
  }

  void start(Bytes chunk) {
    events_.begin(this->scratch(), chunk);
  }

  /* On a violation the streams' ends still follow. */
  int drain() {
    int result = HAWSER_OK;
    for (;;) {
      hawser_event event{};
      int error = self()->core_next(&event);
      if (error == HAWSER_OK && event.type == HAWSER_EV_NONE) {
        return result;
      }
      if (error == HAWSER_OK) {
        events_.add(event);
      } else if (result != HAWSER_OK) {
        return result;
      } else {
        result = error;
      }
    }
  }

  double finish(size_t used, bool more, int error) {
    uint32_t *header = this->scratch().header;
    header[0] = static_cast<uint32_t>(used);
    header[1] = more || events_.overflowed() ? 1 : 0;
    header[2] = static_cast<uint32_t>(-error);
    return events_.count();
  }

  int send_all(Bytes out, size_t *total, uint64_t now) {
    size_t len = 1;
    while (len > 0 && out.len - *total >= HAWSER_SEND_MIN) {
      int error = self()->core_send(out.data + *total, out.len - *total, &len, now);
      if (error != HAWSER_OK) {
        return error;
      }
      *total += len;
    }
    return HAWSER_OK;
  }

  /* Tried first, so that an error comes before anything is sealed; then again behind the control frames it waits for. */
  double message_all(uint16_t stream, Bytes data, uint64_t now, Bytes out) {
    size_t total = 0, len = 0;
    int error = hawser_message(session_, stream, data.data, data.len, out.data, out.len, &len, now);
    if (error == HAWSER_OK && len == 0) {
      error = send_all(out, &total, now);
    }
    if (error == HAWSER_OK && total > 0) {
      error = hawser_message(session_, stream, data.data, data.len, out.data + total, out.len - total, &len, now);
    }
    return total > 0 || error == HAWSER_OK ? static_cast<double>(total + len) : error;
  }

  /* An error after the first record waits for the next call: what was sealed must be sent. */
  double write_all(uint16_t stream, Bytes data, bool fin, uint64_t now, Bytes out) {
    KeysKept kept;
    size_t total = 0, taken = 0, len = 0;
    int fin_taken = 0;
    /* nothing is written, but a stream that takes nothing is refused before control frames are sealed */
    int error = hawser_write(session_, stream, data.data, 0, 0, out.data, out.len, &len, &taken, &fin_taken, now);
    if (error == HAWSER_OK) {
      error = send_all(out, &total, now);
    }
    while (error == HAWSER_OK && (taken < data.len || (fin && !fin_taken))) {
      size_t part = 0;
      error = hawser_write(session_, stream, data.data + taken, data.len - taken, fin, out.data + total,
                           out.len - total, &len, &part, &fin_taken, now);
      if (error == HAWSER_ERR_CLOSED && total > 0 && data.len == 0) {
        fin_taken = 1; /* long ago: the acknowledgement that went out just now was all that the stream waited for */
      }
      if (error != HAWSER_OK || len == 0) {
        break;
      }
      total += len;
      taken += part;
    }
    if (error != HAWSER_OK && total == 0) {
      return error;
    }
    uint32_t *header = this->scratch().header;
    header[0] = static_cast<uint32_t>(taken);
    header[1] = fin_taken ? 1 : 0;
    return static_cast<double>(total);
  }

  Events events_;
};

} // namespace hawser_node
#endif
