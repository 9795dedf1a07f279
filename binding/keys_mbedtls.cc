#include "keys.h"

#include "port_psa.h"

namespace hawser_node {

hawser_key port_import(KeyUse use, const uint8_t raw[HAWSER_KEY_LEN]) {
  switch (use) {
  case KeyUse::ticket:
    return hawser_psa_key_import(HAWSER_PSA_TICKET, raw);
  case KeyUse::psk:
    return hawser_psa_key_import(HAWSER_PSA_PSK, raw);
  case KeyUse::x25519:
    return hawser_psa_key_import(HAWSER_PSA_25519, raw);
  case KeyUse::p256:
    return hawser_psa_key_import(HAWSER_PSA_P256, raw);
  }
  return 0;
}

void port_free(hawser_key key) {
  hawser_psa_key_free(key);
}

void port_keep_keys(bool) {
  // each call of PSA imports its key
}

} // namespace hawser_node
