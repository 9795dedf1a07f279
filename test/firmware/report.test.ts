/** What `npm run firmware:report` must notice: a figure that grew, bytes that nobody owns, a device that failed, a peer that did not resume. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { type Budgets, overBudget, tighten } from '../../tools/firmware-budgets.mjs';
import { costsIn, countParts, publicTypes } from '../../tools/firmware-measure.mjs';
import { checkResumed, frame, framesOf } from '../../tools/firmware-servers.mjs';

describe('budgets', () => {
  const budgets = { flash: { budget: 100, goal: 80 }, stack: { budget: 10 } };

  it('hold what is within them, goals missed or not', () => {
    assert.deepEqual(overBudget({ flash: 100, stack: 10 }, budgets, true), []);
  });

  it('name what is one above', () => {
    assert.deepEqual(overBudget({ flash: 101, stack: 10 }, budgets, true), ['flash: 101, budget 100']);
    assert.deepEqual(overBudget({ flash: NaN, stack: 10 }, budgets, true), ['flash: NaN, budget 100']);
  });

  it('name a budget that is above its goal, which was reached', () => {
    assert.deepEqual(overBudget({ flash: 80, stack: 10 }, budgets, true), ['flash: 80, budget 100 above the goal 80']);
    assert.deepEqual(overBudget({ flash: 81, stack: 10 }, budgets, true), []);
  });

  it('name a figure without a budget, and a budget without a figure unless only some were measured', () => {
    assert.deepEqual(overBudget({ flash: 90, other: 2 }, budgets, false), ['other: 2, but it has no budget']);
    assert.deepEqual(overBudget({ flash: 90 }, budgets, true), ['stack: has a budget, but no figure']);
  });

  it('become smaller by themselves, never larger, and leave no room above a goal that was reached', () => {
    assert.deepEqual(tighten({ flash: { budget: 100, goal: 80 } }, { flash: 80 }), { flash: { budget: 80, goal: 80 } });
    assert.deepEqual(tighten({ flash: { budget: 100, goal: 80 } }, { flash: 81 }), { flash: { budget: 90, goal: 80 } });
    assert.deepEqual(tighten(budgets, { flash: 50, stack: 2000, 'sizeof x': 7 }), {
      flash: { budget: 60, goal: 80 },
      'sizeof x': { budget: 7 },
      stack: { budget: 10 },
    });
  });
});

describe('goals', () => {
  const budgets = JSON.parse(readFileSync('firmware/measure/budgets.json', 'utf8')) as Budgets;
  const goalsOf = (pattern: RegExp) => {
    const names = Object.keys(budgets).filter((name) => pattern.test(name));
    assert.ok(names.length >= 10);
    return [...new Set(names.map((name) => budgets[name]?.goal))];
  };

  it('are those of every resumption and every handshake', () => {
    assert.deepEqual(goalsOf(/^instructions of a resumption: /), [165_000]);
    assert.deepEqual(goalsOf(/^instructions of a resumption to a NEW session: /), [165_000]);
    assert.deepEqual(goalsOf(/^stack of a (full handshake|resumption( to a NEW session)?): /), [1500]);
  });
});

describe('a map', () => {
  const map = `Linker script and memory map

.text           0x00000000       0x30
 .text.reset    0x00000000       0x10 build/firmware/objects/board-0123456789ab/startup.o
 .text.hawser_connect
                0x00000010       0x12 build/firmware/objects/core-0123456789ab/device.o
                0x00000010                hawser_connect
 *fill*         0x00000022        0x2 
 .rodata.str1.1
                0x00000024        0x8 build/firmware/objects/core-0123456789ab/device.o
                                  0x9 (size before relaxing)
 .rodata.str1.1
                0x00000024        0x8 build/firmware/objects/port-0123456789ab/port_psa.o
 .text          0x0000002c        0x4 /usr/lib/libc_nano.a(lib_a-memcpy.o)

.data           0x20000000        0x4 load address 0x00000030
 .data.x        0x20000000        0x4 build/firmware/objects/mbedtls-0123456789ab/aes.o
`;
  const sizes = new Map([
    ['.text', 0x30],
    ['.data', 4],
  ]);

  it('is counted by component, shared strings once, initialised data twice', () => {
    const { flash, memory } = countParts(map, sizes);
    assert.deepEqual(flash, { crt0: 16, core: 18, alignment: 2, port: 8, libc: 4, mbedtls: 4 });
    assert.deepEqual(memory, { mbedtls: 4 });
  });

  it("that leaves out bytes is refused, and a file that is nobody's", () => {
    assert.throws(() => countParts(map, new Map([...sizes, ['.text', 0x34]])), /\.text: 52 bytes, its map has 48/);
    assert.throws(() => countParts(map.replace('libc_nano.a(lib_a-memcpy.o)', 'own.o'), sizes), /whose is .*own\.o/);
  });
});

describe('the public structs of a header', () => {
  it('are all that are not part of another, however they are written', () => {
    const header = `
#ifdef __cplusplus
extern "C" {
#endif
/* struct comment { */
#define MACRO(x) \\
  struct x {
typedef struct a {
  union { int i; struct inner { int j; } k; } u;
} a;
struct b
{
  struct a *pointer;
};
typedef union { int i; } c;
typedef struct b b;
static inline int f(struct a *x) { return x != 0; }
#ifdef __cplusplus
}
#endif
typedef struct d { int i; } d;
`;
    assert.deepEqual(publicTypes(header), [
      { name: 'a', type: 'struct a' },
      { name: 'b', type: 'struct b' },
      { name: 'c', type: 'c' },
      { name: 'd', type: 'struct d' },
    ]);
  });

  const headers = readdirSync('csrc/include/hawser').map((name) => readFileSync(`csrc/include/hawser/${name}`, 'utf8'));
  const names = headers.flatMap((text) => publicTypes(text).map(({ name }) => name));

  it("are, of the core's, all that its functions take by their address", () => {
    const code = headers.join('\n').replace(/\/\*[^]*?\*\//g, '');
    const types = [...code.matchAll(/\b(hawser_\w+) \*/g)].map(([, name = '']) => name);
    assert.ok(types.length > 50);
    assert.deepEqual(
      [...new Set(types)].filter((name) => !names.includes(name)),
      [],
    );
  });

  it("have, of the core's, a budget each", () => {
    const budgets = JSON.parse(readFileSync('firmware/measure/budgets.json', 'utf8')) as Budgets;
    const measured = Object.keys(budgets).filter((name) => /^sizeof .*: default configuration$/.test(name));
    assert.deepEqual(measured.sort(), names.map((name) => `sizeof ${name}: default configuration`).sort());
  });

  it('have names, or nobody could measure them', () => {
    assert.throws(() => publicTypes('struct { int i; } *;'), /a struct without a name/);
  });
});

describe('what a measured device prints', () => {
  const good = 'cost full handshake 123\nstack 456\nend 0\n';

  it('is read', () => {
    assert.deepEqual(costsIn(good), { 'full handshake': { instructions: 123, stack: 456 } });
  });

  it('is an error without its end, or with another', () => {
    assert.throws(() => costsIn(good.replace('end 0\n', '')), /failed/);
    assert.throws(() => costsIn(good.replace('end 0', 'resumption 3')), /failed/);
  });
});

describe('a measured peer', () => {
  const withPsk = Buffer.from('ClientHello device-1');
  const withTicket = Buffer.from('ClientHello a ticket');

  it('has resumed if only its first connection named the PSK', () => {
    checkResumed([withPsk, withTicket, withTicket]);
    assert.throws(() => checkResumed([withPsk]), /no connection has resumed/);
    assert.throws(() => checkResumed([withPsk, withTicket, withPsk]), /no connection has resumed/);
    assert.throws(() => checkResumed([withTicket, withTicket]), /without the PSK/);
  });

  it('has frames on its line, however they are cut', async () => {
    const all = ['ab', '', 'x'.repeat(300)].map((text) => Buffer.from(text));
    const bytes = Buffer.concat(all.map(frame));
    for (const size of [1, 3, bytes.length]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      const read: Buffer[] = [];
      for await (const each of framesOf(pieces)) read.push(each);
      assert.deepEqual(read, all);
    }
  });
});
