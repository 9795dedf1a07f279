#include "keys.h"

#include "port_openssl.h"

namespace hawser_node {

hawser_key port_import(KeyUse, const uint8_t raw[HAWSER_KEY_LEN]) {
  return hawser_openssl_key_import(raw);
}

void port_free(hawser_key key) {
  hawser_openssl_key_free(key);
}

void port_keep_keys(bool keep) {
  hawser_openssl_keep_keys(keep ? 1 : 0);
}

} // namespace hawser_node
