/*
 * pairing.h - a hawser_pairing from a call's arguments.
 */
#ifndef HAWSER_BINDING_PAIRING_H
#define HAWSER_BINDING_PAIRING_H

#include <memory>

#include "hawser/hawser.h"

#include "args.h"
#include "keys.h"

namespace hawser_node {

class Pairing {
public:
  /* Reads all of the pairing's arguments, in the order of lib/engine/native/pairing.ts. NULL and *error: one is wrong, a
   * secret of the mode is missing, or the provider refuses a key. */
  static std::shared_ptr<Pairing> read(Args &args, int *error);

  Pairing() = default;
  ~Pairing();
  Pairing(const Pairing &) = delete;
  Pairing &operator=(const Pairing &) = delete;

  const hawser_pairing *core() const {
    return &core_;
  }

private:
  void read_numbers(Args &args);
  void read_keys(Args &args);
  int import_keys();
  int import_own();
  bool has_keys() const;
  bool has_psk() const;

  hawser_pairing core_{};
  /* They keep the handles in core_ alive. */
  std::shared_ptr<Key> own_, psk_, ticket_;
};

} // namespace hawser_node
#endif
