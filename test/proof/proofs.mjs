// What tools/prove.mjs proves: each row is an entry function of a harness in this folder, the sources of the core that it is
// checked together with, its bounds (for --short and in full), and a fault seeded into the core that must be found.
//
//   meant    functions in which an unsigned number wraps, or a conversion drops bits, on purpose
//   unwind   passes of a loop that suffice, where it is not so for all of them: loop: passes

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
].map((proof) => ({ support: port, unwind: 10, loops: {}, meant: [], ...proof }));
