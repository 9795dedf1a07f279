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
  {
    name: 'frame fields read',
    entry: ['fields.c', 'reads_fields'],
    sources: ['frames.c', 'wire.c', 'pairing.c'],
    bounds: { LEN: [48, 48] },
    seed: ['frames.c', 'f->code > HAWSER_FRAME_CLOSE', 'f->code > HAWSER_FRAME_CLOSE + 1'],
  },
  {
    name: 'pairing terms read',
    entry: ['pairings.c', 'reads_terms'],
    sources: ['wire.c'],
    support: [...port, 'copied.c'],
    bounds: { LEN: [160, 160] },
    seed: ['pairing.c', 'bytes == NULL || !id_valid(len)', '!id_valid(len)'],
  },
  {
    name: 'pairing secrets read',
    entry: ['pairings.c', 'reads_secrets'],
    sources: ['wire.c'],
    support: [...port, 'copied.c'],
    bounds: { LEN: [226, 226] },
    loops: { 'hawser_is_zero.0': 66 },
    seed: ['pairing.c', 'bytes == NULL || hawser_is_zero(bytes, len)', 'hawser_is_zero(bytes, len)'],
  },
  {
    name: 'slots read',
    entry: ['devices.c', 'reads_slots'],
    sources: ['wire.c', 'pairing.c'],
    bounds: {},
    loops: { 'hawser_is_zero.0': 33 },
    seed: [
      'device.c',
      'hawser_reader r = {image, HAWSER_SLOT_LEN, 0};',
      'hawser_reader r = {image, HAWSER_SLOT_LEN - 33, 0};',
    ],
  },
  {
    name: 'message 2 of a resumption read',
    entry: ['devices.c', 'reads_resumption_answers'],
    sources: ['resume.c', 'wire.c', 'pairing.c'],
    support: [...port, 'copied.c'],
    bounds: { LEN: [64, 64] },
    seed: ['resume.c', 'len != HAWSER_RESUME2_LEN', 'len < HAWSER_RESUME2_HEAD'],
  },
  {
    name: 'message 1 looked at',
    entry: ['accepts.c', 'reads_message1'],
    sources: ['handshake.c', 'wire.c', 'pairing.c'],
    support: [...port, 'copied.c'],
    bounds: {},
    seed: ['gateway.c', ' && len <= fixed + HAWSER_ID_MAX', ''],
  },
  {
    name: 'message 1 of a resumption read',
    entry: ['accepts.c', 'checks_resumption'],
    sources: ['resume.c', 'wire.c', 'pairing.c'],
    support: [...port, 'copied.c'],
    bounds: { LEN: [120, 120] },
    meant: ['hawser_put'],
    seed: ['resume.c', 'len < HAWSER_MESSAGE1_MIN', 'len < HAWSER_RESUME_HEAD'],
  },
  {
    name: 'early data read',
    entry: ['accepts.c', 'reads_pay1'],
    sources: ['wire.c', 'pairing.c'],
    bounds: { LEN: [96, 96] },
    seed: ['gateway.c', 'hawser_reader r = {frames, len, 0};', 'hawser_reader r = {frames, len + 1, 0};'],
  },
  {
    name: 'STATE read',
    entry: ['accepts.c', 'reads_state'],
    sources: ['wire.c', 'pairing.c'],
    bounds: {},
    seed: ['gateway.c', 'r.bad || code != HAWSER_FRAME_STATE', 'code != HAWSER_FRAME_STATE && code != 0'],
  },
  {
    name: 'COBS there and back',
    entry: ['cobs.c', 'encodes'],
    sources: ['cobs.c'],
    support: ['given.c'],
    bounds: { LEN: [4, 4] },
    seed: ['cobs.c', 'code != BLOCK_MAX && i < len', 'code != BLOCK_MAX'],
  },
  {
    name: 'COBS decoded',
    entry: ['cobs.c', 'decodes'],
    sources: ['cobs.c'],
    support: ['given.c'],
    bounds: { LEN: [4, 4] },
    seed: ['cobs.c', 'code == 0 || (size_t)(code - 1) > len - i', 'code == 0'],
  },
].map((proof) => ({ support: port, unwind: 10, loops: {}, meant: [], ...proof }));
