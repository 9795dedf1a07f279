/*
 * resume.c - SPEC 7.1 and 7.2, formula by formula.
 */
#include "resume.h"

#include <string.h>

int hawser_ticket_of(const uint8_t r[HAWSER_KEY_LEN], uint8_t ticket[HAWSER_TICKET_LEN]) {
  uint8_t out[HAWSER_HASH_LEN];
  int err = hawser_prf(out, r, "ticket", NULL, 0);
  memcpy(ticket, out, HAWSER_TICKET_LEN);
  return err;
}

int hawser_chain_id(const uint8_t b0[HAWSER_KEY_LEN], uint8_t chain[HAWSER_NAME_LEN]) {
  uint8_t out[HAWSER_HASH_LEN];
  int err = hawser_prf(out, b0, "chainid", NULL, 0);
  memcpy(chain, out, HAWSER_NAME_LEN);
  return err;
}

/* h0 = SHA256(ident || chain[8] || u32 b || u32 i) */
static int make_h0(const hawser_step *at, uint8_t h0[HAWSER_HASH_LEN]) {
  uint8_t ident[HAWSER_IDENT_MAX], position[8];
  hawser_writer w = {position, sizeof position, 0};
  hawser_bytes parts[3] = {{ident, 0}, {at->chain, HAWSER_NAME_LEN}, {position, sizeof position}};
  parts[0].len = hawser_ident(at->pairing, ident);
  hawser_put(&w, 4, at->b);
  hawser_put(&w, 4, at->i);
  return hawser_port_sha256(h0, parts, 3);
}

/* K1 = PRF(R, "m1", SHA256(h0 || hdr1 || n_d)) */
static int make_k1(const hawser_step *at, const uint8_t h0[HAWSER_HASH_LEN], const uint8_t *m,
                   uint8_t k1[HAWSER_KEY_LEN]) {
  hawser_bytes parts[2] = {{h0, HAWSER_HASH_LEN}, {m, HAWSER_RESUME_HEAD}};
  int err = hawser_port_sha256(k1, parts, 2);
  return err != HAWSER_OK ? err : hawser_prf(k1, at->r, "m1", k1, HAWSER_HASH_LEN);
}

/* n_d = PRF(R, "nonce", SHA256(h0 || hdr1 || rnd || pay1))[0..12]: synthetic, so that a repeating random source does no
 * harm */
static int make_nonce(const hawser_step *at, const uint8_t h0[HAWSER_HASH_LEN], uint8_t *m, size_t pay1_len) {
  uint8_t rnd[HAWSER_RANDOM_LEN], digest[HAWSER_HASH_LEN];
  hawser_bytes parts[4] = {
      {h0, HAWSER_HASH_LEN}, {m, 1 + HAWSER_TICKET_LEN}, {rnd, sizeof rnd}, {m + HAWSER_RESUME_HEAD, pay1_len}};
  int err = hawser_port_random(rnd, sizeof rnd);
  if (err == HAWSER_OK) {
    err = hawser_port_sha256(digest, parts, 4);
  }
  if (err == HAWSER_OK) {
    err = hawser_prf(digest, at->r, "nonce", digest, sizeof digest);
  }
  if (err == HAWSER_OK) {
    memcpy(m + 1 + HAWSER_TICKET_LEN, digest, HAWSER_NONCE_LEN);
  }
  hawser_port_wipe(rnd, sizeof rnd);
  hawser_port_wipe(digest, sizeof digest);
  return err;
}

int hawser_resume_write1(const hawser_step *at, uint8_t *m, size_t pay1_len) {
  uint8_t h0[HAWSER_HASH_LEN], k1[HAWSER_KEY_LEN];
  int err = make_h0(at, h0);
  m[0] = HAWSER_TYPE_RESUME_1;
  if (err == HAWSER_OK) {
    err = hawser_ticket_of(at->r, m + 1);
  }
  if (err == HAWSER_OK) {
    err = make_nonce(at, h0, m, pay1_len);
  }
  if (err == HAWSER_OK) {
    err = make_k1(at, h0, m, k1);
  }
  if (err == HAWSER_OK) {
    err = hawser_seal(k1, 0, m, HAWSER_RESUME_HEAD, m + HAWSER_RESUME_HEAD, pay1_len, m + HAWSER_RESUME_HEAD);
  }
  hawser_port_wipe(k1, sizeof k1);
  return err;
}

int hawser_resume_h1(const hawser_step *at, const uint8_t *m, size_t len, uint8_t h1[HAWSER_HASH_LEN]) {
  hawser_bytes parts[2] = {{h1, HAWSER_HASH_LEN}, {m, len}};
  int err = make_h0(at, h1);
  return err != HAWSER_OK ? err : hawser_port_sha256(h1, parts, 2);
}

/* K2 = PRF(R, "m2", SHA256(h1 || x || hdr2)) */
static int make_k2(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN], uint8_t transport,
                   const uint8_t *m, uint8_t k2[HAWSER_KEY_LEN]) {
  hawser_bytes parts[3] = {{h1, HAWSER_HASH_LEN}, {&transport, 1}, {m, HAWSER_RESUME2_HEAD}};
  int err = hawser_port_sha256(k2, parts, 3);
  return err != HAWSER_OK ? err : hawser_prf(k2, r, "m2", k2, HAWSER_HASH_LEN);
}

/* h2 = SHA256(h1 || x || m2); traffic keys and name from R and h2 */
static int derive(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN], uint8_t transport,
                  const uint8_t *m, size_t len, hawser_resumed *out) {
  uint8_t h2[HAWSER_HASH_LEN], name[HAWSER_HASH_LEN];
  hawser_bytes parts[3] = {{h1, HAWSER_HASH_LEN}, {&transport, 1}, {m, len}};
  int err = hawser_port_sha256(h2, parts, 3);
  if (err == HAWSER_OK) {
    err = hawser_prf(out->d2g, r, "d2g", h2, sizeof h2);
  }
  if (err == HAWSER_OK) {
    err = hawser_prf(out->g2d, r, "g2d", h2, sizeof h2);
  }
  if (err == HAWSER_OK) {
    err = hawser_prf(name, r, "name", h2, sizeof h2);
  }
  if (err == HAWSER_OK) {
    memcpy(out->name, name, HAWSER_NAME_LEN);
  }
  return err;
}

int hawser_resume_read2(const hawser_step *at, const uint8_t h1[HAWSER_HASH_LEN], uint8_t transport, const uint8_t *m,
                        size_t len, hawser_resumed *out) {
  uint8_t k2[HAWSER_KEY_LEN];
  int err;
  /* SPEC 3.2: the connection id is empty on stream and serial transports */
  if (len != HAWSER_RESUME2_LEN || m[0] != HAWSER_TYPE_RESUME_2) {
    return HAWSER_ERR_FORMAT;
  }
  err = make_k2(at->r, h1, transport, m, k2);
  if (err == HAWSER_OK) {
    err = hawser_unseal(k2, 0, m, HAWSER_RESUME2_HEAD, m + HAWSER_RESUME2_HEAD, 1, &out->status);
  }
  hawser_port_wipe(k2, sizeof k2);
  return err != HAWSER_OK ? err : derive(at->r, h1, transport, m, len, out);
}

#if HAWSER_GATEWAY

int hawser_resume_read1(const hawser_step *at, const uint8_t *m, size_t len, uint8_t *pay1) {
  uint8_t h0[HAWSER_HASH_LEN], k1[HAWSER_KEY_LEN];
  int err;
  if (len < HAWSER_MESSAGE1_MIN || m[0] != HAWSER_TYPE_RESUME_1) {
    return HAWSER_ERR_FORMAT;
  }
  err = make_h0(at, h0);
  if (err == HAWSER_OK) {
    err = make_k1(at, h0, m, k1);
  }
  if (err == HAWSER_OK) {
    err = hawser_unseal(k1, 0, m, HAWSER_RESUME_HEAD, m + HAWSER_RESUME_HEAD, len - HAWSER_RESUME_HEAD - HAWSER_TAG_LEN,
                        pay1);
  }
  hawser_port_wipe(k1, sizeof k1);
  return err;
}

int hawser_resume_write2(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN], uint8_t transport,
                         const uint8_t n_g[16], const uint8_t *connection_id, size_t id_len, uint8_t *m, size_t *len,
                         hawser_resumed *out) {
  uint8_t k2[HAWSER_KEY_LEN];
  uint8_t *pay2 = m + HAWSER_RESUME2_HEAD;
  int err;
  m[0] = HAWSER_TYPE_RESUME_2;
  memcpy(m + 1, n_g, 16);
  pay2[0] = out->status;
  if (id_len > 0) {
    memcpy(pay2 + 1, connection_id, id_len);
  }
  *len = HAWSER_RESUME2_LEN + id_len;
  err = make_k2(r, h1, transport, m, k2);
  if (err == HAWSER_OK) {
    err = hawser_seal(k2, 0, m, HAWSER_RESUME2_HEAD, pay2, 1 + id_len, pay2);
  }
  hawser_port_wipe(k2, sizeof k2);
  return err != HAWSER_OK ? err : derive(r, h1, transport, m, *len, out);
}

#endif
