/*
 * events.h - writes a session's events where JavaScript reads them (instance.h).
 */
#ifndef HAWSER_BINDING_EVENTS_H
#define HAWSER_BINDING_EVENTS_H

#include <array>
#include <vector>

#include "hawser/hawser.h"

#include "args.h"
#include "instance.h"

namespace hawser_node {

class Events {
public:
  /* Begins a call's table with what did not fit into that of the last. chunk: the caller's bytes, if any. */
  void begin(const Scratch &scratch, Bytes chunk);
  void add(const hawser_event &event);

  /* Room for another record's worth of events: a little of the table, all data of one record in the spill. */
  bool room() const;
  uint32_t count() const {
    return count_;
  }
  /* Events that wait for the next table. */
  bool overflowed() const {
    return !overflow_.empty();
  }
  /* Bytes of the spill belong to events that JavaScript has not read. */
  void clear();

private:
  using Row = std::array<uint32_t, Scratch::event_words>;

  bool append_to_last(const hawser_event &event);
  void place_data(const hawser_event &event, Row &row);
  void put(const Row &row);

  Scratch scratch_{};
  Bytes chunk_;
  uint32_t count_ = 0;
  size_t spilled_ = 0;
  /* One record may hold more events than the table; they must be read at once, because they point into its bytes. */
  std::vector<Row> overflow_;
};

} // namespace hawser_node
#endif
