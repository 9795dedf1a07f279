/*
 * loans.h - memory for what the application is given, lent and taken back when the garbage collector finds that nobody holds it any more.
 *
 * Bytes that come over a link need memory that belongs to whoever reads them. Allocated one by one they count as garbage of that size, and V8 collects
 * the whole heap after every few tens of megabytes: that costs more than to receive and decrypt them. Loans are part of one pool that stays, so they
 * do not count; young ones come back with the next scavenge.
 */
#ifndef HAWSER_BINDING_LOANS_H
#define HAWSER_BINDING_LOANS_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <napi.h>

namespace hawser_node {

class Loans : public std::enable_shared_from_this<Loans> {
public:
  /* Loans stand one after the other in slabs. */
  static constexpr size_t slab_len = 262144;
  /* 32 MiB and some to spare: V8 scavenges as soon as young buffers come to that. */
  static constexpr size_t slabs_max = 160;

  Loans();
  ~Loans();
  Loans(const Loans &) = delete;
  Loans &operator=(const Loans &) = delete;

  /* A Buffer of len bytes that the caller must write over, all of them; undefined: everything is lent, or it is too long. */
  Napi::Value lend(Napi::Env env, size_t len);

private:
  struct Slab;
  struct Loan;

  bool make_room(size_t len);
  static void take_back(napi_env env, void *data, void *hint);

  std::vector<std::unique_ptr<Slab>> slabs_;
  std::vector<Slab *> free_;
  Slab *present_ = nullptr;
};

} // namespace hawser_node
#endif
