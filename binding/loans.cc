#include "loans.h"

#include <new>

namespace hawser_node {

struct Loans::Slab {
  size_t used = 0;
  size_t lent = 0; /* loans that are not back */
  uint8_t bytes[slab_len];
};

struct Loans::Loan {
  std::shared_ptr<Loans> owner; /* buffers may outlive the environment's instance */
  Slab *slab;
  size_t len;
};

Loans::Loans() = default;
Loans::~Loans() = default;

Napi::Value Loans::lend(Napi::Env env, size_t len) {
  if (len == 0 || len > slab_len || !make_room(len)) {
    return env.Undefined();
  }
  std::unique_ptr<Loan> loan(new (std::nothrow) Loan{shared_from_this(), present_, len});
  napi_value buffer = nullptr;
  /* some hosts allow no external buffers */
  if (!loan || napi_create_external_buffer(env, len, present_->bytes + present_->used, take_back, loan.get(),
                                           &buffer) != napi_ok) {
    return env.Undefined();
  }
  (void)loan.release();
  present_->used += len;
  present_->lent++;
  int64_t total = 0;
  /* the garbage collector has counted it, and would free nothing by collecting it */
  napi_adjust_external_memory(env, -static_cast<int64_t>(len), &total);
  return Napi::Value(env, buffer);
}

/* The present slab, while it fits; else one that is back, or a new one. */
bool Loans::make_room(size_t len) {
  if (present_ != nullptr && slab_len - present_->used >= len) {
    return true;
  }
  Slab *next = nullptr;
  if (!free_.empty()) {
    next = free_.back();
    free_.pop_back();
  } else if (slabs_.size() < slabs_max) {
    std::unique_ptr<Slab> fresh(new (std::nothrow) Slab);
    next = fresh.get();
    if (next != nullptr) {
      slabs_.push_back(std::move(fresh));
    }
  }
  if (next == nullptr) {
    return false;
  }
  if (present_ != nullptr && present_->lent == 0) {
    present_->used = 0;
    free_.push_back(present_);
  }
  present_ = next;
  return true;
}

void Loans::take_back(napi_env env, void *, void *hint) {
  std::unique_ptr<Loan> loan(static_cast<Loan *>(hint));
  int64_t total = 0;
  napi_adjust_external_memory(env, static_cast<int64_t>(loan->len), &total);
  Loans &owner = *loan->owner;
  Slab *slab = loan->slab;
  if (--slab->lent == 0) {
    slab->used = 0;
    if (slab != owner.present_) {
      owner.free_.push_back(slab);
    }
  }
}

} // namespace hawser_node
