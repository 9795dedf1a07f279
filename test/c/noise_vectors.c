/*
 * noise_vectors.c - the core's handshake code as a line protocol (lines.h), with the caller's keys, prologue and
 * payloads, for Noise vectors and for live handshakes against another implementation.
 *
 *   start END ROLE PATTERN SUITE PROLOGUE OWN EPHEMERAL PEER PSK
 *       END 00..03; ROLE 00 initiator, 01 responder; PATTERN 01 KK, 02 KKpsk0, 03 NNpsk0 (the modes of SPEC 2);
 *       OWN and EPHEMERAL private keys, PEER a public key, "-" where the pattern has none
 *   write END PAYLOAD      the next message: of the handshake, then of the transport
 *   read END MESSAGE       its payload
 *   hash END               the handshake hash, once both messages have passed
 */
#include "lines.h"
#include "port_keys.h"

#include "handshake.h"

#define ENDS 4

typedef struct noise_end {
  hawser_pairing pairing;
  hawser_noise noise;
  uint8_t keys[96];
  uint8_t re[HAWSER_PUBLIC_MAX]; /* the handshake points into the peer's last message, which is gone by then */
  uint64_t sent, received;
  int passed; /* handshake messages so far */
} noise_end;

static noise_end ends[ENDS];

static int set_statics(noise_end *end, lines_bytes own, lines_bytes peer) {
  hawser_pairing *p = &end->pairing;
  if (own.len == 0) {
    return HAWSER_OK;
  }
  p->own = p->suite == HAWSER_SUITE_ID_P256 ? IMPORT(P256, own.ptr) : IMPORT(25519, own.ptr);
  memcpy(p->peer, peer.ptr, peer.len);
  if (p->own == 0 || hawser_port_public(p->suite, own.ptr, p->own_public) != HAWSER_OK) {
    return HAWSER_ERR_CRYPTO;
  }
  return hawser_port_dh(p->suite, own.ptr, p->peer, p->ss);
}

static int start(noise_end *end, const lines_bytes *a) {
  int err;
  FREE(end->pairing.own);
  FREE(end->pairing.psk);
  memset(end, 0, sizeof *end);
  end->pairing.mode = a[2].ptr[0];
  end->pairing.suite = a[3].ptr[0];
  if (a[8].len != 0) {
    end->pairing.psk = IMPORT(PSK, a[8].ptr);
  }
  err = set_statics(end, a[5], a[7]);
  if (err == HAWSER_OK) {
    err = hawser_noise_start(&end->noise, &end->pairing, a[1].ptr[0], a[4].ptr, a[4].len);
  }
  if (err == HAWSER_OK) {
    memcpy(end->noise.e, a[6].ptr, sizeof end->noise.e);
    end->noise.fixed_e = 1;
  }
  return err;
}

static int handshake_passed(noise_end *end) {
  end->passed++;
  return end->passed == 2 ? hawser_split(end->noise.s.ck, end->keys, end->keys + 32, end->keys + 64) : HAWSER_OK;
}

/* The initiator sends under the first key of Split. */
static const uint8_t *key_of(const noise_end *end, int sending) {
  return end->keys + (sending == (end->noise.responder == 0) ? 0 : 32);
}

static void do_write(noise_end *end, lines_bytes payload) {
  size_t len = payload.len + HAWSER_TAG_LEN;
  uint8_t *out = malloc(len + HAWSER_PUBLIC_MAX);
  int err;
  if (out == NULL) {
    exit(2);
  }
  if (end->passed < 2) {
    err = hawser_noise_write(&end->noise, &end->pairing, end->passed + 1, payload.ptr, payload.len, out, &len);
    err = err == HAWSER_OK ? handshake_passed(end) : err;
  } else {
    err = hawser_seal(key_of(end, 1), end->sent++, NULL, 0, payload.ptr, payload.len, out);
  }
  if (err == HAWSER_OK) {
    lines_put(out, len);
  } else {
    lines_put_error(err);
  }
  free(out);
}

static size_t payload_len(const noise_end *end, size_t message_len) {
  size_t overhead = HAWSER_TAG_LEN + (end->passed < 2 ? hawser_public_len(end->pairing.suite) : 0);
  return message_len < overhead ? 0 : message_len - overhead;
}

static void do_read(noise_end *end, lines_bytes message) {
  size_t len = payload_len(end, message.len);
  uint8_t *out = malloc(len + 1);
  int err;
  if (out == NULL) {
    exit(2);
  }
  if (end->passed < 2) {
    err = hawser_noise_read(&end->noise, &end->pairing, end->passed + 1, message.ptr, message.len, out);
    if (err == HAWSER_OK) {
      memcpy(end->re, message.ptr, hawser_public_len(end->pairing.suite));
      end->noise.re = end->re;
    }
    err = err == HAWSER_OK ? handshake_passed(end) : err;
  } else {
    err = message.len < HAWSER_TAG_LEN ? HAWSER_ERR_FORMAT
                                       : hawser_unseal(key_of(end, 0), end->received, NULL, 0, message.ptr, len, out);
    end->received += err == HAWSER_OK;
  }
  if (err == HAWSER_OK) {
    lines_put(out, len);
  } else {
    lines_put_error(err);
  }
  free(out);
}

static void run(size_t count, char *const words[]) {
  lines_bytes a[LINES_WORDS_MAX];
  noise_end *end;
  for (size_t i = 0; i + 1 < count; i++) {
    a[i] = lines_unhex(words[i + 1]);
  }
  end = &ends[a[0].ptr[0] % ENDS];
  if (strcmp(words[0], "start") == 0 && count == 10) {
    int err = start(end, a);
    if (err == HAWSER_OK) {
      lines_put(NULL, 0);
    } else {
      lines_put_error(err);
    }
  } else if (strcmp(words[0], "write") == 0) {
    do_write(end, a[1]);
  } else if (strcmp(words[0], "read") == 0) {
    do_read(end, a[1]);
  } else {
    lines_put(end->noise.s.h, HAWSER_HASH_LEN);
  }
  for (size_t i = 0; i + 1 < count; i++) {
    free(a[i].ptr);
  }
}

int main(void) {
  static char line[LINES_LINE_MAX];
  char *words[LINES_WORDS_MAX];
  for (size_t count = lines_next(line, words); count > 1; count = lines_next(line, words)) {
    run(count, words);
  }
  return 0;
}
