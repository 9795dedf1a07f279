/*
 * port_vectors.c - the crypto port as a line protocol (lines.h), for vectors that tests read from files.
 *
 *   sha256 BYTES             hmac KEY BYTES           hmac-key KEY32 BYTES      hkdf-key SALT32 KEY32
 *   seal KEY NONCE AD PLAIN  open KEY NONCE AD SEALED public SUITE SECRET       dh SUITE SECRET PEER
 *   dh-key SUITE SECRET PEER
 *
 * The caller keeps to the lengths that the port's prototypes demand.
 */
#include "lines.h"
#include "port_keys.h"

#include "hawser/error.h"
#include "hawser/port.h"

typedef struct arguments {
  lines_bytes at[LINES_WORDS_MAX];
} arguments;

static void answer(int code, const uint8_t *bytes, size_t len) {
  if (code == HAWSER_OK) {
    lines_put(bytes, len);
  } else {
    lines_put_error(code);
  }
}

static hawser_bytes part(lines_bytes bytes) {
  hawser_bytes out = {bytes.ptr, bytes.len};
  return out;
}

static void do_sha256(const arguments *a) {
  uint8_t out[HAWSER_HASH_LEN];
  hawser_bytes message = part(a->at[0]);
  answer(hawser_port_sha256(out, &message, 1), out, sizeof out);
}

static void do_hmac(const arguments *a) {
  uint8_t out[HAWSER_HASH_LEN];
  hawser_bytes message = part(a->at[1]);
  answer(hawser_port_hmac(out, a->at[0].ptr, a->at[0].len, &message, 1), out, sizeof out);
}

static void do_hmac_key(const arguments *a) {
  uint8_t out[HAWSER_HASH_LEN];
  hawser_bytes message = part(a->at[1]);
  hawser_key key = IMPORT(TICKET, a->at[0].ptr);
  answer(key == 0 ? HAWSER_ERR_CRYPTO : hawser_port_hmac_key(out, key, &message, 1), out, sizeof out);
  FREE(key);
}

static void do_hkdf_key(const arguments *a) {
  uint8_t out[96];
  hawser_key key = IMPORT(PSK, a->at[1].ptr);
  answer(key == 0 ? HAWSER_ERR_CRYPTO : hawser_port_hkdf_key(out, a->at[0].ptr, key), out, sizeof out);
  FREE(key);
}

static void do_seal(const arguments *a) {
  lines_bytes plain = a->at[3];
  uint8_t *out = malloc(plain.len + HAWSER_TAG_LEN);
  if (out == NULL) {
    exit(2);
  }
  int code = hawser_port_seal(a->at[0].ptr, a->at[1].ptr, a->at[2].ptr, a->at[2].len, plain.ptr, plain.len, out);
  answer(code, out, plain.len + HAWSER_TAG_LEN);
  free(out);
}

/* Decrypts in place, as records are. After a bad tag the plaintext must be zero (class 21): "error N leak" if not. */
static void do_open(const arguments *a) {
  lines_bytes sealed = a->at[3];
  size_t len = sealed.len - HAWSER_TAG_LEN;
  int code = hawser_port_open(a->at[0].ptr, a->at[1].ptr, a->at[2].ptr, a->at[2].len, sealed.ptr, len, sealed.ptr);
  size_t zeros = 0;
  while (code != HAWSER_OK && zeros < len && sealed.ptr[zeros] == 0) {
    zeros++;
  }
  if (code != HAWSER_OK && zeros < len) {
    printf("error %d leak\n", code);
    fflush(stdout);
  } else {
    answer(code, sealed.ptr, len);
  }
}

static uint8_t suite_of(lines_bytes word) {
  return word.ptr[0];
}

static size_t public_len(uint8_t suite) {
  return suite == HAWSER_SUITE_ID_P256 ? HAWSER_PUBLIC_MAX : HAWSER_KEY_LEN;
}

static void do_public(const arguments *a) {
  uint8_t out[HAWSER_PUBLIC_MAX];
  uint8_t suite = suite_of(a->at[0]);
  answer(hawser_port_public(suite, a->at[1].ptr, out), out, public_len(suite));
}

static void do_dh(const arguments *a) {
  uint8_t out[32];
  answer(hawser_port_dh(suite_of(a->at[0]), a->at[1].ptr, a->at[2].ptr, out), out, sizeof out);
}

static void do_dh_key(const arguments *a) {
  uint8_t out[32];
  uint8_t suite = suite_of(a->at[0]);
  hawser_key key = suite == HAWSER_SUITE_ID_P256 ? IMPORT(P256, a->at[1].ptr) : IMPORT(25519, a->at[1].ptr);
  answer(key == 0 ? HAWSER_ERR_CRYPTO : hawser_port_dh_key(suite, key, a->at[2].ptr, out), out, sizeof out);
  FREE(key);
}

typedef struct command {
  const char *name;
  size_t arguments;
  void (*run)(const arguments *a);
} command;

static const command k_commands[] = {
    {"sha256", 1, do_sha256},     {"hmac", 2, do_hmac}, {"hmac-key", 2, do_hmac_key},
    {"hkdf-key", 2, do_hkdf_key}, {"seal", 4, do_seal}, {"open", 4, do_open},
    {"public", 2, do_public},     {"dh", 3, do_dh},     {"dh-key", 3, do_dh_key},
};

static void run(size_t count, char *const words[]) {
  arguments a;
  for (size_t i = 0; i + 1 < count; i++) {
    a.at[i] = lines_unhex(words[i + 1]);
  }
  for (size_t c = 0; c < sizeof k_commands / sizeof k_commands[0]; c++) {
    if (strcmp(words[0], k_commands[c].name) == 0 && count == k_commands[c].arguments + 1) {
      k_commands[c].run(&a);
    }
  }
  for (size_t i = 0; i + 1 < count; i++) {
    free(a.at[i].ptr);
  }
}

int main(void) {
  static char line[LINES_LINE_MAX];
  char *words[LINES_WORDS_MAX];
  for (size_t count = lines_next(line, words); count > 0; count = lines_next(line, words)) {
    run(count, words);
  }
  return 0;
}
