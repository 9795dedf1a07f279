#include "pairing.h"

#include <cstring>

namespace hawser_node {

namespace {

/* Copies the next argument if it is there; min..max bytes. Its length, or 0. */
size_t copy(Args &args, uint8_t *out, size_t min, size_t max) {
  Bytes bytes = args.optional_bytes(min, max);
  if (bytes.len > 0) {
    std::memcpy(out, bytes.data, bytes.len);
  }
  return bytes.len;
}

} // namespace

Pairing::~Pairing() {
  hawser_port_wipe(&core_, sizeof core_);
}

std::shared_ptr<Pairing> Pairing::read(Args &args, int *error) {
  auto pairing = std::make_shared<Pairing>();
  pairing->read_numbers(args);
  pairing->read_keys(args);
  *error = args.error();
  if (*error == 0) {
    *error = pairing->import_keys();
  }
  if (*error == 0) {
    *error = hawser_pairing_valid(&pairing->core_);
  }
  return *error == 0 ? pairing : nullptr;
}

void Pairing::read_numbers(Args &args) {
  core_.mode = static_cast<uint8_t>(args.integer(HAWSER_TICKET));
  core_.suite = static_cast<uint8_t>(args.integer(HAWSER_SUITE_ID_P256));
  core_.id_len = static_cast<uint8_t>(copy(args, core_.id, HAWSER_ID_MIN, HAWSER_ID_MAX));
  core_.gateway_id_len = static_cast<uint8_t>(copy(args, core_.gateway_id, HAWSER_ID_MIN, HAWSER_ID_MAX));
  core_.record_max = static_cast<uint16_t>(args.integer(HAWSER_RECORD_MAX));
  core_.window_device = static_cast<uint32_t>(args.integer(UINT32_MAX));
  core_.window_gateway = static_cast<uint32_t>(args.integer(UINT32_MAX));
  core_.max_steps = static_cast<uint32_t>(args.integer(UINT32_MAX));
  core_.max_blocks = static_cast<uint32_t>(args.integer(UINT32_MAX));
}

bool Pairing::has_keys() const {
  return core_.mode == HAWSER_KEYS || core_.mode == HAWSER_KEYS_PSK;
}

bool Pairing::has_psk() const {
  return core_.mode == HAWSER_KEYS_PSK || core_.mode == HAWSER_PSK;
}

void Pairing::read_keys(Args &args) {
  size_t public_len = core_.suite == HAWSER_SUITE_ID_P256 ? 65 : 32;
  own_ = Secret::optional(args);
  copy(args, core_.own_public, public_len, public_len);
  copy(args, core_.peer, public_len, public_len);
  psk_ = Secret::optional(args);
  ticket_ = Secret::optional(args);
  copy(args, core_.ss, sizeof core_.ss, sizeof core_.ss);
  copy(args, core_.gate_d2g, sizeof core_.gate_d2g, sizeof core_.gate_d2g);
  copy(args, core_.gate_g2d, sizeof core_.gate_g2d, sizeof core_.gate_g2d);
}

/* A handle only where the mode uses it; a missing one is left to hawser_pairing_valid. */
int Pairing::import_keys() {
  if (has_keys() && own_) {
    int error = import_own();
    if (error != HAWSER_OK) {
      return error;
    }
  }
  if (has_psk() && psk_) {
    core_.psk = psk_->handle(KeyUse::psk);
    if (core_.psk == 0) {
      return HAWSER_ERR_CRYPTO;
    }
  }
  if (core_.mode == HAWSER_TICKET && ticket_) {
    core_.ticket = ticket_->handle(KeyUse::ticket);
    if (core_.ticket == 0) {
      return HAWSER_ERR_CRYPTO;
    }
  }
  return HAWSER_OK;
}

int Pairing::import_own() {
  static const uint8_t zero[HAWSER_PUBLIC_MAX] = {0};
  core_.own = own_->handle(core_.suite == HAWSER_SUITE_ID_P256 ? KeyUse::p256 : KeyUse::x25519);
  const uint8_t *computed = own_->public_key(core_.suite);
  if (core_.own == 0 || computed == nullptr) {
    return HAWSER_ERR_ARG; /* no private key of this suite */
  }
  size_t len = core_.suite == HAWSER_SUITE_ID_P256 ? 65 : 32;
  if (hawser_port_equal(core_.own_public, zero, len)) { /* left out */
    std::memcpy(core_.own_public, computed, len);
  }
  return hawser_port_equal(core_.own_public, computed, len) ? HAWSER_OK : HAWSER_ERR_ARG;
}

} // namespace hawser_node
