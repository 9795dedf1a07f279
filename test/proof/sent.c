/*
 * sent.c - what leaves a session (session.c) when the port fails at will: nothing of a record that failed, as the next one takes
 * its counter again, and nothing at the counter's end. What is due is channel.h's: any bytes here.
 */
#include "frames.h"
#include "proof.h"

hawser_session nondet_session(void);

void hawser_channel_write(hawser_session *s, hawser_writer *w) {
  size_t used = up_to(w->left);
  (void)s;
  PROVE(!w->bad && __CPROVER_w_ok(w->at, w->left), "room for frames");
  w->at += used;
  w->left -= used;
}

int hawser_channel_due(const hawser_session *s, uint64_t now_ms) {
  (void)s;
  (void)now_ms;
  return nondet_int();
}

int hawser_channel_speaks(const hawser_session *s) {
  return s->link.live && nondet_int();
}

int hawser_channel_ready(const hawser_session *s) {
  return s->link.live && nondet_int();
}

int hawser_channel_waits(const hawser_session *s) {
  (void)s;
  return nondet_int();
}

void sends(void) {
  hawser_session s = nondet_session();
  size_t data_len = up_to(LEN), cap = up_to(LEN), len = 0, k = nondet_size();
  uint8_t *data = any_bytes(data_len), *out = any_bytes(cap);
  uint64_t counter;
  int err;
  any_session(&s);
  counter = s.link.tx_counter;
  err = nondet_int() ? hawser_send(&s, out, cap, &len, nondet_u32())
                     : hawser_message(&s, nondet_u16(), data, data_len, out, cap, &len, nondet_u32());
  PROVE(len <= cap && (err == HAWSER_OK || len == 0), "a record, or nothing");
  PROVE(s.link.tx_counter == counter + (len > 0), "a counter for each that leaves");
  PROVE(counter < (uint64_t)1 << 48 || len == 0, "none at the end");
  PROVE(err != HAWSER_ERR_CRYPTO || k >= cap || out[k] == 0, "what failed is wiped");
  REACHES(err == HAWSER_ERR_CRYPTO, "a port that fails");
  REACHES(err == HAWSER_ERR_EXHAUSTED, "the end");
  REACHES(len > 64 && s.gateway, "a record");
}
