/*
 * answers.c - bytes that come to a device that waits for its answer (device.c): any frame, up to what is done with the message
 * in it. Both kinds of message 2 are proved in devices.c.
 */
#include "device.c"

#include "proof.h"

/* record.h taken at its word (frames.c proves it): a whole frame, or a part of one. */
int hawser_frame_collect(uint8_t transport, uint8_t *buffer, size_t *held, size_t cap, uint8_t *in, size_t in_len,
                         hawser_expect expect, hawser_frame *frame) {
  PROVE(*held <= cap && __CPROVER_w_ok(buffer, cap), "the buffer");
  PROVE(expect.least > HAWSER_HEADER_LEN && expect.most <= cap, "a message fits into it");
  frame->at = NULL;
  frame->len = 0;
  frame->used = 0;
  if (transport == HAWSER_STREAM && nondet_int()) {
    return HAWSER_ERR_FORMAT;
  }
  frame->used = up_to(in_len);
  *held = up_to(cap);
  if (frame->used > 0 && nondet_int()) {
    frame->at = buffer;
    frame->len = up_to(transport == HAWSER_SERIAL ? cap - 1 : expect.most);
    REQUIRE(transport == HAWSER_SERIAL || frame->len >= expect.least);
    *held = 0;
  }
  return HAWSER_OK;
}

int hawser_frame_decode(uint8_t transport, hawser_frame *frame) {
  size_t len = frame->len;
  if (transport == HAWSER_SERIAL) {
    frame->len = up_to(len);
    if (frame->len <= HAWSER_HEADER_LEN) {
      return HAWSER_ERR_FORMAT;
    }
  }
  return HAWSER_OK;
}

size_t hawser_frame_len(uint8_t transport, const hawser_frame *frame) {
  return frame->len + (transport == HAWSER_SERIAL);
}

/* handshake.h and resume.h: what they are handed, and any result. */
static int result(void) {
  int err = nondet_int();
  REQUIRE(err == HAWSER_OK || err == HAWSER_ERR_AUTH || err == HAWSER_ERR_FORMAT || err == HAWSER_ERR_CRYPTO);
  return err;
}

static int reads_message(const uint8_t *message, size_t len) {
  PROVE(len > 0 && __CPROVER_r_ok(message, len), "a message");
  return result();
}

/* Keys go to where the link and the session will have them. */
static void derives(const hawser_keys *keys) {
  PROVE(__CPROVER_w_ok(keys->d2g, HAWSER_KEY_LEN) && __CPROVER_w_ok(keys->g2d, HAWSER_KEY_LEN), "room for keys");
  PROVE(__CPROVER_w_ok(keys->name, HAWSER_NAME_LEN), "room for a name");
  __CPROVER_havoc_slice(keys->d2g, HAWSER_KEY_LEN);
  __CPROVER_havoc_slice(keys->g2d, HAWSER_KEY_LEN);
  __CPROVER_havoc_slice(keys->name, HAWSER_NAME_LEN);
}

int hawser_full_read2(const struct hawser_asked *asked, const hawser_pairing *pairing, const uint8_t *in, size_t len,
                      const hawser_keys *keys, uint8_t b0[HAWSER_KEY_LEN]) {
  (void)pairing;
  PROVE(__CPROVER_r_ok(asked, sizeof *asked), "what was asked with");
  derives(keys);
  __CPROVER_havoc_slice(b0, HAWSER_KEY_LEN);
  return reads_message(in, len);
}

int hawser_resume_read2(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN], uint8_t transport,
                        const uint8_t *m, size_t len, const hawser_keys *keys, struct hawser_answer *a,
                        uint8_t *status) {
  (void)r;
  (void)h1;
  (void)transport;
  derives(keys);
  __CPROVER_havoc_slice(a, sizeof *a);
  a->step[0] = 1; /* no secret is zero */
  *status = nondet_u8();
  return reads_message(m, len);
}

int hawser_chain_of(const uint8_t b0[HAWSER_KEY_LEN], uint8_t chain[HAWSER_NAME_LEN], uint8_t first[HAWSER_KEY_LEN],
                    uint8_t block[HAWSER_KEY_LEN]) {
  (void)b0;
  __CPROVER_havoc_slice(chain, HAWSER_NAME_LEN);
  __CPROVER_havoc_slice(first, HAWSER_KEY_LEN);
  __CPROVER_havoc_slice(block, HAWSER_KEY_LEN);
  return result();
}

/* channel.h: what becomes of streams is no part of this. */
void hawser_channel_continue(hawser_session *s) {
  s->flags |= HAWSER_SF_CONTINUED;
}
void hawser_channel_renew(hawser_session *s) {
  s->flags &= ~(uint32_t)HAWSER_SF_CONTINUED;
}
void hawser_channel_early(hawser_session *s, hawser_stream *st, int taken, uint64_t tx, int fin) {
  PROVE(st >= s->streams && st < s->streams + STREAMS, "a stream");
  (void)taken;
  (void)tx;
  (void)fin;
}
void hawser_channel_unsure(hawser_stream *st, uint64_t tx, int fin) {
  PROVE(__CPROVER_w_ok(st, sizeof *st), "a stream");
  (void)tx;
  (void)fin;
}
int hawser_channel_waits(const hawser_session *s) {
  (void)s;
  return nondet_int();
}

void receives_answers(void) {
  size_t len = up_to(LEN), used = 0, k = up_to(HAWSER_KEY_LEN - 1);
  uint8_t *in = any_bytes(len);
  hawser_device *d = any_device(), before;
  int err;
  REQUIRE(d->state == SENT && hawser_transport_known(d->session.link.transport));
  REQUIRE(d->kind == HAWSER_FULL
              ? has_ecdh(d)
              : d->kind == HAWSER_RESUMPTION && (d->flags & CHAIN) != 0); /* as hawser_connect() chose */
  REQUIRE(d->i < d->session.pairing->max_steps && d->f < UINT32_MAX && d->sequence < UINT32_MAX);
  REQUIRE(d->bad < HAWSER_BAD_ANSWERS && (d->session.flags & HAWSER_SF_LINK) == 0);
  before = *d;
  err = hawser_device_receive(d, in, len, &used, nondet_u32());
  PROVE(hawser_device_valid(d), "a valid device");
  PROVE(used <= len, "no more was taken than came");
  PROVE(err == HAWSER_OK || d->state == SENT, "an error takes no answer");
  PROVE(d->state == LIVE || (d->b == before.b && d->i == before.i && d->step[k] == before.step[k]),
        "nor moves a position");
  PROVE(d->state != LIVE || is_warm(&before), "what flash holds is left behind a write alone");
  PROVE(d->state != LIVE || (d->kind == HAWSER_RESUMPTION && d->i == before.i + 1), "to the next one");
  REACHES(d->state == LIVE, "a warm answer");
  REACHES(d->state == STORE && d->kind == HAWSER_FULL, "an answer to a full handshake");
  REACHES(err == HAWSER_OK && d->bad > before.bad, "a bad one on a serial line");
}
