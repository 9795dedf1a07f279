/*
 * crypto.h - the functions of Engine that need no object: key generation, agreement, chains, random bytes.
 */
#ifndef HAWSER_BINDING_CRYPTO_H
#define HAWSER_BINDING_CRYPTO_H

#include <napi.h>

namespace hawser_node {

void define_crypto(Napi::Env env, Napi::Object exports);

} // namespace hawser_node
#endif
