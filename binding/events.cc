#include "events.h"

#include <algorithm>
#include <cstring>

namespace hawser_node {

namespace {

enum Word { k_type, k_stream, k_value, k_offset_low, k_offset_high, k_source, k_data_at, k_data_len };
enum Source : uint32_t { k_none, k_chunk, k_spill };

/* Data of small records that follow each other is moved together: moving costs less than one more event. */
constexpr size_t k_join_max = 4096;
constexpr size_t k_room = 64;
constexpr size_t k_record = HAWSER_RX_LEN(HAWSER_RECORD_MAX);

} // namespace

void Events::begin(const Scratch &scratch, Bytes chunk) {
  scratch_ = scratch;
  chunk_ = chunk;
  count_ = 0;
  size_t waiting = std::min(overflow_.size(), Scratch::events_max);
  for (size_t i = 0; i < waiting; i++) {
    std::memcpy(scratch_.events + Scratch::event_words * count_++, overflow_[i].data(), sizeof(Row));
  }
  overflow_.erase(overflow_.begin(), overflow_.begin() + static_cast<std::ptrdiff_t>(waiting));
  spilled_ = waiting > 0 ? Scratch::spill_len : 0; /* what these events refer to must stay */
}

bool Events::room() const {
  return overflow_.empty() && count_ + k_room <= Scratch::events_max && spilled_ + k_record <= Scratch::spill_len;
}

void Events::clear() {
  overflow_.clear();
  count_ = 0;
}

void Events::add(const hawser_event &event) {
  if (append_to_last(event)) {
    return;
  }
  Row row{};
  row[k_type] = event.type;
  row[k_stream] = event.stream;
  row[k_value] = event.value;
  row[k_offset_low] = static_cast<uint32_t>(event.offset);
  row[k_offset_high] = static_cast<uint32_t>(event.offset >> 32);
  place_data(event, row);
  put(row);
}

/* The gap between two records is at least a header and a tag, so the bytes move down into what was read already. */
bool Events::append_to_last(const hawser_event &event) {
  if (event.type != HAWSER_EV_DATA || event.len > k_join_max || count_ == 0 || overflowed()) {
    return false;
  }
  uint32_t *last = scratch_.events + Scratch::event_words * (count_ - 1);
  uint8_t *end = chunk_.data + last[k_data_at] + last[k_data_len];
  bool follows = last[k_type] == HAWSER_EV_DATA && last[k_stream] == event.stream && last[k_source] == k_chunk &&
                 event.data >= end && event.data + event.len <= chunk_.data + chunk_.len;
  if (!follows) {
    return false;
  }
  std::memmove(end, event.data, event.len);
  last[k_data_len] += static_cast<uint32_t>(event.len);
  return true;
}

void Events::place_data(const hawser_event &event, Row &row) {
  if (event.data == nullptr) {
    return;
  }
  row[k_data_len] = static_cast<uint32_t>(event.len);
  if (chunk_.len > 0 && event.data >= chunk_.data && event.data + event.len <= chunk_.data + chunk_.len) {
    row[k_source] = k_chunk;
    row[k_data_at] = static_cast<uint32_t>(event.data - chunk_.data);
    return;
  }
  size_t fits = std::min(event.len, Scratch::spill_len - spilled_); /* all of it: see room() */
  std::memcpy(scratch_.spill + spilled_, event.data, fits);
  row[k_source] = k_spill;
  row[k_data_at] = static_cast<uint32_t>(spilled_);
  row[k_data_len] = static_cast<uint32_t>(fits);
  spilled_ += fits;
}

void Events::put(const Row &row) {
  if (count_ == Scratch::events_max) {
    overflow_.push_back(row);
    return;
  }
  std::memcpy(scratch_.events + Scratch::event_words * count_++, row.data(), sizeof row);
}

} // namespace hawser_node
