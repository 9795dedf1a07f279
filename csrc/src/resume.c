/*
 * resume.c - SPEC 7.1 and 7.2, formula by formula.
 */
#include "resume.h"

#include <string.h>

int hawser_ticket_of(const uint8_t r[HAWSER_KEY_LEN], uint8_t ticket[HAWSER_TICKET_LEN]) {
  return hawser_prf_once(r, HAWSER_LABEL_TICKET, NULL, ticket, HAWSER_TICKET_LEN);
}

int hawser_chain_of(const uint8_t b0[HAWSER_KEY_LEN], uint8_t chain[HAWSER_NAME_LEN], uint8_t first[HAWSER_KEY_LEN],
                    uint8_t block[HAWSER_KEY_LEN]) {
  hawser_prf prf;
  hawser_prf_start(&prf, b0);
  hawser_prf_next(&prf, HAWSER_LABEL_CHAINID, NULL, chain, HAWSER_NAME_LEN);
  hawser_prf_next(&prf, HAWSER_LABEL_FIRST, NULL, first, HAWSER_KEY_LEN);
  hawser_prf_next(&prf, HAWSER_LABEL_BLOCK, NULL, block, HAWSER_KEY_LEN);
  return hawser_prf_end(&prf);
}

/* h0 = SHA256(ident || chain[8] || u32 b || u32 i) */
static HAWSER_APART int make_h0(const hawser_step *at, uint8_t h0[HAWSER_HASH_LEN]) {
  uint8_t bytes[HAWSER_IDENT_MAX + HAWSER_NAME_LEN + 8];
  hawser_writer w = {bytes, sizeof bytes, 0};
  hawser_bytes part = {bytes, 0};
  hawser_ident(at->pairing, &w);
  hawser_put_bytes(&w, at->chain, HAWSER_NAME_LEN);
  hawser_put(&w, 4, at->b);
  hawser_put(&w, 4, at->i);
  part.len = sizeof bytes - w.left;
  return hawser_port_sha256(h0, &part, 1);
}

/* h1 = SHA256(h0 || m1), in place of h0 */
static int make_h1(uint8_t h[HAWSER_HASH_LEN], const uint8_t *m, size_t len) {
  hawser_bytes parts[2] = {{h, HAWSER_HASH_LEN}, {m, len}};
  return hawser_port_sha256(h, parts, 2);
}

/* What K1 is made of: SHA256 of this is its X. */
#define K1_PARTS(h0, m)                                                                                                \
  {                                                                                                                    \
    {h0, HAWSER_HASH_LEN}, {                                                                                           \
      m, HAWSER_RESUME_HEAD                                                                                            \
    }                                                                                                                  \
  }

/* T, n_d and K1: what message 1 needs of R.
 *
 * n_d = PRF(R, "nonce", SHA256(h0 || hdr1 || rnd || pay1))[0..12]: synthetic, so that a repeating random source does no harm
 * K1 = PRF(R, "m1", SHA256(h0 || hdr1 || n_d)) */
static HAWSER_APART int start1(const hawser_step *at, const uint8_t h0[HAWSER_HASH_LEN], uint8_t *m, size_t pay1_len,
                               uint8_t k1[HAWSER_KEY_LEN]) {
  uint8_t rnd[HAWSER_RANDOM_LEN];
  uint8_t *n_d = m + 1 + HAWSER_TICKET_LEN;
  const hawser_bytes nonce[4] = {
      {h0, HAWSER_HASH_LEN}, {m, 1 + HAWSER_TICKET_LEN}, {rnd, sizeof rnd}, {m + HAWSER_RESUME_HEAD, pay1_len}};
  const hawser_bytes key[2] = K1_PARTS(h0, m);
  hawser_prf prf;
  int err = hawser_port_random(rnd, sizeof rnd);
  if (err != HAWSER_OK) {
    return err;
  }
  hawser_prf_start(&prf, at->r);
  hawser_prf_next(&prf, HAWSER_LABEL_TICKET, NULL, m + 1, HAWSER_TICKET_LEN);
  hawser_prf_hashed(&prf, HAWSER_LABEL_NONCE, nonce, 4, n_d, HAWSER_NONCE_LEN);
  hawser_prf_hashed(&prf, HAWSER_LABEL_M1, key, 2, k1, HAWSER_KEY_LEN);
  hawser_port_wipe(rnd, sizeof rnd);
  return hawser_prf_end(&prf);
}

int hawser_resume_write1(const hawser_step *at, uint8_t *m, size_t pay1_len, uint8_t h1[HAWSER_HASH_LEN]) {
  uint8_t *pay1 = m + HAWSER_RESUME_HEAD;
  uint8_t k1[HAWSER_KEY_LEN];
  int err = make_h0(at, h1);
  m[0] = HAWSER_TYPE_RESUME_1;
  if (err == HAWSER_OK) {
    err = start1(at, h1, m, pay1_len, k1);
  }
  if (err == HAWSER_OK) {
    err = hawser_seal(k1, 0, m, HAWSER_RESUME_HEAD, pay1, pay1_len, pay1);
  }
  hawser_port_wipe(k1, sizeof k1);
  return err != HAWSER_OK ? err : make_h1(h1, m, HAWSER_RESUME_HEAD + pay1_len + HAWSER_TAG_LEN);
}

/* K2 = PRF(R, "m2", SHA256(h1 || x || hdr2)), h2 = SHA256(h1 || x || m2); traffic keys from R and h2, the next step secret from R
 * alone. All before anybody knows that message 2 is genuine: so R is absorbed once, and not while the cipher is on the stack. */
static HAWSER_APART int derive2(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN], uint8_t transport,
                                const uint8_t *m, const hawser_keys *keys, struct hawser_answer *a) {
  hawser_bytes parts[3] = {{h1, HAWSER_HASH_LEN}, {&transport, 1}, {m, HAWSER_RESUME2_LEN}};
  hawser_prf prf;
  int err = hawser_port_sha256(a->h2, parts, 3);
  if (err != HAWSER_OK) {
    return err;
  }
  parts[2].len = HAWSER_RESUME2_HEAD;
  hawser_prf_start(&prf, r);
  hawser_prf_hashed(&prf, HAWSER_LABEL_M2, parts, 3, a->k2, HAWSER_KEY_LEN);
  hawser_prf_next(&prf, HAWSER_LABEL_D2G, a->h2, keys->d2g, HAWSER_KEY_LEN);
  hawser_prf_next(&prf, HAWSER_LABEL_G2D, a->h2, keys->g2d, HAWSER_KEY_LEN);
  hawser_prf_next(&prf, HAWSER_LABEL_NEXT, NULL, a->step, HAWSER_KEY_LEN);
  return hawser_prf_end(&prf);
}

int hawser_resume_read2(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN], uint8_t transport,
                        const uint8_t *m, size_t len, const hawser_keys *keys, struct hawser_answer *a,
                        uint8_t *status) {
  int err;
  /* SPEC 3.2: the connection id is empty on stream and serial transports */
  if (len != HAWSER_RESUME2_LEN || m[0] != HAWSER_TYPE_RESUME_2) {
    return HAWSER_ERR_FORMAT;
  }
  err = derive2(r, h1, transport, m, keys, a);
  if (err == HAWSER_OK) {
    err = hawser_unseal(a->k2, 0, m, HAWSER_RESUME2_HEAD, m + HAWSER_RESUME2_HEAD, 1, status);
  }
  if (HAWSER_STREAMS && err == HAWSER_OK && (*status & HAWSER_STATUS_CONTINUED) == 0) {
    err = hawser_prf_once(r, HAWSER_LABEL_NAME, a->h2, keys->name, HAWSER_NAME_LEN);
  }
  return err;
}

#if HAWSER_GATEWAY

int hawser_resume_read1(const hawser_step *at, const uint8_t *m, size_t len, uint8_t *pay1,
                        uint8_t h1[HAWSER_HASH_LEN]) {
  const hawser_bytes key[2] = K1_PARTS(h1, m);
  uint8_t k1[HAWSER_KEY_LEN];
  int err;
  if (len < HAWSER_MESSAGE1_MIN || m[0] != HAWSER_TYPE_RESUME_1) {
    return HAWSER_ERR_FORMAT;
  }
  err = make_h0(at, h1);
  if (err == HAWSER_OK) {
    err = hawser_prf_of(at->r, HAWSER_LABEL_M1, key, 2, k1, HAWSER_KEY_LEN);
  }
  if (err == HAWSER_OK) {
    err = hawser_unseal(k1, 0, m, HAWSER_RESUME_HEAD, m + HAWSER_RESUME_HEAD, len - HAWSER_RESUME_HEAD - HAWSER_TAG_LEN,
                        pay1);
  }
  hawser_port_wipe(k1, sizeof k1);
  return err != HAWSER_OK ? err : make_h1(h1, m, len);
}

int hawser_resume_write2(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN], uint8_t transport,
                         const uint8_t n_g[16], uint8_t status, const uint8_t *connection_id, size_t id_len, uint8_t *m,
                         size_t *len) {
  const hawser_bytes head[3] = {{h1, HAWSER_HASH_LEN}, {&transport, 1}, {m, HAWSER_RESUME2_HEAD}};
  uint8_t k2[HAWSER_KEY_LEN];
  uint8_t *pay2 = m + HAWSER_RESUME2_HEAD;
  int err;
  m[0] = HAWSER_TYPE_RESUME_2;
  memcpy(m + 1, n_g, 16);
  pay2[0] = status;
  if (id_len > 0) {
    memcpy(pay2 + 1, connection_id, id_len);
  }
  *len = HAWSER_RESUME2_LEN + id_len;
  err = hawser_prf_of(r, HAWSER_LABEL_M2, head, 3, k2, HAWSER_KEY_LEN);
  if (err == HAWSER_OK) {
    err = hawser_seal(k2, 0, m, HAWSER_RESUME2_HEAD, pay2, 1 + id_len, pay2);
  }
  hawser_port_wipe(k2, sizeof k2);
  return err;
}

int hawser_resume_keys(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN], uint8_t transport,
                       const uint8_t *m, size_t len, const hawser_keys *keys) {
  const hawser_bytes whole[3] = {{h1, HAWSER_HASH_LEN}, {&transport, 1}, {m, len}};
  uint8_t h2[HAWSER_HASH_LEN];
  hawser_prf prf;
  int err = hawser_port_sha256(h2, whole, 3);
  if (err != HAWSER_OK) {
    return err;
  }
  hawser_prf_start(&prf, r);
  hawser_prf_next(&prf, HAWSER_LABEL_D2G, h2, keys->d2g, HAWSER_KEY_LEN);
  hawser_prf_next(&prf, HAWSER_LABEL_G2D, h2, keys->g2d, HAWSER_KEY_LEN);
  hawser_prf_next(&prf, HAWSER_LABEL_NAME, h2, keys->name, HAWSER_NAME_LEN);
  return hawser_prf_end(&prf);
}

#endif
