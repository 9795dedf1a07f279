/*
 * fuzz_accept.c - bytes of a stranger to a link of the gateway, in every state of it, in chunks of any length; what comes of
 * them is answered as a gateway would. With `any tag` what is authentic is up to the fuzzer as well.
 */
#include "rig.h"
#include "rig_keys.h"

enum flag { SERIAL = 1, ANY_TAG = 2, CANDIDATE = 4, CONTINUED = 8, REFUSE = 16, LIVED = 32 };

/* A bad frame changes neither keys nor counters nor who the link belongs to. */
static void unchanged(const hawser_accept *before) {
  FUZZ_ASSERT(r.accept.pairing == before->pairing && r.accept.verdict == before->verdict);
  FUZZ_ASSERT(memcmp(&r.accept.link, &before->link, sizeof before->link) == 0);
  FUZZ_ASSERT(memcmp(r.accept.name, before->name, sizeof before->name) == 0);
}

/* SPEC 3.2: message 2 MUST NOT be longer than the message 1 that it answers. */
static void answered(void) {
  hawser_handshake_info info;
  hawser_accept_handshake(&r.accept, &info);
  FUZZ_ASSERT(info.kind != 0 && info.received >= HAWSER_MESSAGE1_MIN + 2);
  if (r.transport == HAWSER_STREAM) {
    FUZZ_ASSERT(r.out_len <= info.received && info.sent == r.out_len);
  }
}

/* The session behind a confirmed candidate takes the rest. */
static void confirmed(fuzz_input *in, uint8_t flags) {
  int continued = r.accept.continued;
  int err;
  rig_session();
  if (continued) {
    memcpy(r.session.name, hawser_accept_continues(&r.accept), 8);
  }
  if (r.accept.verdict == HAWSER_TAKEN && r.accept.early_len > 0) {
    FUZZ_ASSERT(hawser_session_early(&r.session, &r.accept, r.now) == HAWSER_OK);
    err = rig_gateway_events();
    FUZZ_ASSERT(err == HAWSER_OK || err == HAWSER_ERR_PEER);
  }
  if ((flags & REFUSE) != 0 || r.session.frames_len > 0 ||
      hawser_session_attach(&r.session, &r.accept, continued, r.now) != HAWSER_OK) {
    return;
  }
  err = rig_gateway_events();
  while (err == HAWSER_OK && in->left > 0) {
    size_t len, used = 0;
    uint8_t *bytes = fuzz_take(in, 64, &len);
    err = hawser_receive(&r.session, bytes, len, &used, r.now);
    if (err == HAWSER_OK) {
      err = rig_gateway_events();
    }
    rig_check_session(&r.session);
    free(bytes);
    FUZZ_ASSERT(rig_gateway_send() == HAWSER_OK);
  }
}

/* Feeds one chunk; 0: the link is over. */
static int feed(fuzz_input *in, size_t chunk, uint8_t flags) {
  hawser_accept before = r.accept;
  hawser_accept_event event;
  size_t len, used = 0;
  uint8_t *bytes = fuzz_take(in, chunk, &len);
  int err = hawser_accept_receive(&r.accept, bytes, len, &used, &event);
  FUZZ_ASSERT(used <= len);
  rig_check_accept(&r.accept);
  if (err != HAWSER_OK) {
    FUZZ_ASSERT(err == HAWSER_ERR_FORMAT || err == HAWSER_ERR_AUTH || err == HAWSER_ERR_PEER ||
                err == HAWSER_ERR_STATE || err == HAWSER_ERR_EXHAUSTED);
    FUZZ_ASSERT(event.type == HAWSER_ACCEPT_NONE);
    if (r.accept.state != 5) {
      unchanged(&before);
    }
    free(bytes);
    return 0;
  }
  in->at -= len - used; /* the rest comes again */
  in->left += len - used;
  if (event.type == HAWSER_ACCEPT_ID || event.type == HAWSER_ACCEPT_TICKET) {
    err = rig_offer(&event, flags & REFUSE ? HAWSER_NOT_TAKEN : HAWSER_TAKEN, 0);
    if (err == HAWSER_OK) {
      answered();
    }
  } else if (event.type == HAWSER_ACCEPT_CONFIRM) {
    confirmed(in, flags);
    err = HAWSER_ERR_CLOSED;
  } else {
    FUZZ_ASSERT(used == len);
  }
  free(bytes);
  return err == HAWSER_OK;
}

void fuzz_accept(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  uint8_t which = fuzz_byte(&in);
  uint8_t flags = fuzz_byte(&in);
  size_t chunk = 1u + fuzz_byte(&in);
  rig_init(which, flags & SERIAL ? HAWSER_SERIAL : HAWSER_STREAM);
  if (flags & LIVED) { /* there is a chain */
    rig_session();
    rig_connect(0);
    hawser_disconnected(&r.device, r.now);
    FUZZ_ASSERT(rig_device_events() == HAWSER_OK);
  }
  rig_accept();
  if (flags & CANDIDATE) {
    uint8_t m1[RIG_OUT];
    size_t len;
    FUZZ_ASSERT(rig_message1(NULL) == HAWSER_OK);
    len = r.out_len;
    memcpy(m1, r.out, len);
    FUZZ_ASSERT(rig_answer(m1, len, HAWSER_TAKEN, flags & CONTINUED && (flags & LIVED)) == HAWSER_OK);
    answered();
  }
  rig_any_tag((flags & ANY_TAG) != 0);
  while (in.left > 0 && feed(&in, chunk, flags)) {
  }
  rig_any_tag(0);
}
