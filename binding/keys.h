/*
 * keys.h - long-term secrets: 32 bytes in, and only handles of the crypto port out.
 *
 * A Secret is the JavaScript object; the key behind it is shared with the sessions that were made with it and is
 * wiped when the last of them lets go.
 */
#ifndef HAWSER_BINDING_KEYS_H
#define HAWSER_BINDING_KEYS_H

#include <array>
#include <memory>

#include <napi.h>

#include "hawser/port.h"

#include "args.h"
#include "object.h"

namespace hawser_node {

/* What a handle may be used for. A port may need another object for each (PSA does). */
enum class KeyUse : uint8_t { ticket, psk, x25519, p256 };
constexpr size_t k_key_uses = 4;

/* keys_openssl.cc, keys_mbedtls.cc: 0 if the provider refuses the key. */
hawser_key port_import(KeyUse use, const uint8_t raw[HAWSER_KEY_LEN]);
void port_free(hawser_key key);
/* Many records in a row under one key, which the provider may keep ready meanwhile. */
void port_keep_keys(bool keep);

/* While one of these is there. */
struct KeysKept {
  KeysKept() {
    port_keep_keys(true);
  }
  ~KeysKept() {
    port_keep_keys(false);
  }
  KeysKept(const KeysKept &) = delete;
  KeysKept &operator=(const KeysKept &) = delete;
};

class Key {
public:
  explicit Key(const uint8_t raw[HAWSER_KEY_LEN]);
  ~Key();
  Key(const Key &) = delete;
  Key &operator=(const Key &) = delete;

  /* Imported at the first use; 0 if the provider refuses. The handle lives as long as this object. */
  hawser_key handle(KeyUse use);
  /* The public key of the suite, computed once; NULL if this is no private key of it. */
  const uint8_t *public_key(uint8_t suite);

private:
  struct Public {
    bool known = false;
    uint8_t bytes[HAWSER_PUBLIC_MAX];
  };
  uint8_t raw_[HAWSER_KEY_LEN];
  std::array<hawser_key, k_key_uses> handles_{};
  std::array<Public, 3> public_{}; /* by suite */
};

class Secret : public Object<Secret> {
public:
  static const napi_type_tag k_tag;
  static Napi::Function define(Napi::Env env);
  using Object::Object;

  /* The key of the next argument: NULL if it is undefined (allowed) or no live Secret (refused). */
  static std::shared_ptr<Key> optional(Args &args);

private:
  /* (bytes[32]) -> 0 */
  double init(Args &args);
  /* () -> 0 */
  double release(Args &args);

  std::shared_ptr<Key> key_;
};

} // namespace hawser_node
#endif
