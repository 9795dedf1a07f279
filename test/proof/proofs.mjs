// What tools/prove.mjs proves: each row is an entry function of a harness in this folder, the sources of the core that it is
// checked together with, its bounds (for --short and in full), and a fault seeded into the core that must be found.
//
//   meant    functions in which an unsigned number wraps, or a conversion drops bits, on purpose
//   unwind   passes of a loop that suffice, where it is not so for all of them: loop: passes

// Locals that are filled through a pointer, which the check for uses before a value does not follow: valgrind and
// MemorySanitizer watch these.
export const filled = ['collect_stream::1::header'];

const port = ['port.c', 'given.c'];

export const proofs = [
  {
    name: 'cursor reads integers',
    entry: ['cursor.c', 'reads_integers'],
    sources: ['wire.c', 'pairing.c'],
    bounds: { LEN: [64, 65535] },
    seed: ['wire.c', 'len > r->left', 'len > r->left + 1'],
  },
  {
    name: 'cursor reads bytes',
    entry: ['cursor.c', 'reads_bytes'],
    sources: ['wire.c', 'pairing.c'],
    bounds: { LEN: [64, 65535] },
    seed: ['wire.c', 'r->left -= len;', ''],
  },
  {
    name: 'cursor writes integers',
    entry: ['cursor.c', 'writes_integers'],
    sources: ['wire.c', 'pairing.c'],
    bounds: { LEN: [64, 65535] },
    meant: ['hawser_put'],
    seed: ['wire.c', 'bytes[n - 1 - i]', 'bytes[n - i]'],
  },
  {
    name: 'cursor writes bytes',
    entry: ['cursor.c', 'writes_bytes'],
    sources: ['wire.c', 'pairing.c'],
    bounds: { LEN: [64, 65535] },
    seed: ['wire.c', 'w->bad || len > w->left', 'w->bad'],
  },
  {
    name: 'records sealed',
    entry: ['records.c', 'seals'],
    sources: ['record.c', 'wire.c', 'pairing.c'],
    support: ['given.c'],
    bounds: { LEN: [600, 16383] },
    meant: ['hawser_put', 'hawser_record_seal'],
    unwind: 13,
    seed: ['record.c', 'link->tx_counter >= HAWSER_COUNTER_END', 'link->tx_counter > HAWSER_COUNTER_END'],
  },
  {
    name: 'records opened',
    entry: ['records.c', 'opens'],
    sources: ['record.c', 'wire.c', 'pairing.c'],
    support: ['given.c'],
    bounds: { LEN: [600, 16383] },
    meant: ['hawser_put'],
    unwind: 13,
    seed: [
      'record.c',
      'err = key_at(key, link->rx_key, link->rx_counter);',
      'err = key_at(link->rx_key, link->rx_key, link->rx_counter); memcpy(key, link->rx_key, 32);',
    ],
  },
  {
    name: 'frames collected',
    entry: ['frames.c', 'collects'],
    sources: ['record.c', 'wire.c', 'pairing.c'],
    bounds: { LEN: [600, 16466] },
    seed: ['record.c', 'len > expect.most || len > cap', 'len > expect.most'],
  },
  {
    name: 'frames taken',
    entry: ['frames.c', 'takes'],
    sources: ['record.c', 'wire.c', 'pairing.c'],
    bounds: { LEN: [600, 16466] },
    seed: ['record.c', 'if (len > cap - *held) {', 'if (len > cap) {'],
  },
  {
    name: 'frames decoded',
    entry: ['frames.c', 'decodes_frames'],
    sources: ['record.c', 'wire.c', 'pairing.c'],
    bounds: { LEN: [600, 16466] },
    seed: ['record.c', 'frame->len < HAWSER_HEADER_LEN || ', ''],
  },
  {
    name: 'messages framed',
    entry: ['frames.c', 'frames_messages'],
    sources: ['record.c', 'wire.c', 'pairing.c'],
    bounds: { LEN: [600, 16466] },
    meant: ['hawser_frame_message'],
    seed: ['record.c', '(cap - 1) / 255;', 'cap / 256;'],
  },
].map((proof) => ({ support: port, unwind: 10, loops: {}, meant: [], ...proof }));
