#include "keys.h"

#include "port_openssl.h"

namespace hawser_node {

hawser_key port_import(KeyUse, const uint8_t raw[HAWSER_KEY_LEN]) {
  return hawser_openssl_key_import(raw);
}

void port_free(hawser_key key) {
  hawser_openssl_key_free(key);
}

} // namespace hawser_node
