/** What is done over a stream, whatever carries it. The first byte of a stream says what its server does with it. */

import { once } from 'node:events';
import type { Duplex } from 'node:stream';

const Job = { Sink : 1, Source : 2, Echo : 3 } as const; // prettier-ignore
const chunk = Buffer.alloc(64 * 1024, 'hawser');
const message = Buffer.alloc(64, 'm');

/** The server's end. Streams are torn when a round is over: that is no error. */
export function serve(stream: Duplex): void {
  stream.on('error', () => undefined);
  stream.once('data', (first: Buffer) => {
    const [job] = first;
    if (job === Job.Sink) sink(stream);
    else if (job === Job.Source) source(stream, first.readUInt32BE(1));
    else {
      if (first.length > 1) stream.write(first.subarray(1));
      stream.on('data', (bytes: Buffer) => stream.write(bytes));
      stream.on('end', () => stream.end());
    }
  });
}

function sink(stream: Duplex): void {
  stream.on('data', () => undefined);
  stream.on('end', () => stream.end('k'));
}

function source(stream: Duplex, megabytes: number): void {
  stream.on('data', () => undefined);
  void push(stream, megabytes).catch(() => undefined);
}

async function push(stream: Duplex, megabytes: number): Promise<void> {
  for (let left = megabytes * 16; left > 0; left -= 1) {
    if (!stream.write(chunk)) await once(stream, 'drain');
  }
  stream.end();
}

/** Waits for the server's end; bytes that came. */
async function drainAll(stream: Duplex): Promise<number> {
  let length = 0;
  stream.on('data', (bytes: Buffer) => (length += bytes.length));
  await once(stream, 'end');
  return length;
}

/** Megabytes per second, from the first byte written until the server has had the last. */
export async function upload(stream: Duplex, megabytes: number): Promise<number> {
  const answer = drainAll(stream);
  const start = performance.now();
  stream.write(Buffer.from([Job.Sink]));
  await push(stream, megabytes);
  if ((await answer) !== 1) throw new Error('the server did not have it all');
  return (megabytes * (1 << 20)) / (performance.now() - start) / 1000;
}

export async function download(stream: Duplex, megabytes: number): Promise<number> {
  const order = Buffer.alloc(5);
  order[0] = Job.Source;
  order.writeUInt32BE(megabytes, 1);
  const start = performance.now();
  stream.write(order);
  const length = await drainAll(stream);
  if (length !== megabytes * (1 << 20)) throw new Error(`${length} bytes have come`);
  stream.end();
  return length / (performance.now() - start) / 1000;
}

/** Messages of 64 bytes per second, one write() each, as many as the stream takes. */
export async function messages(stream: Duplex, count: number): Promise<number> {
  const answer = drainAll(stream);
  const start = performance.now();
  stream.write(Buffer.from([Job.Sink]));
  for (let n = 0; n < count; n += 1) {
    if (!stream.write(message)) await once(stream, 'drain');
  }
  stream.end();
  if ((await answer) !== 1) throw new Error('the server did not have it all');
  return (count * 1000) / (performance.now() - start);
}

/** Each message in an event of its own, as they come to a program one by one: nothing to gather. */
export async function spaced(stream: Duplex, count: number): Promise<number> {
  const answer = drainAll(stream);
  const start = performance.now();
  stream.write(Buffer.from([Job.Sink]));
  for (let n = 0; n < count; n += 1) {
    if (!stream.write(message)) await once(stream, 'drain');
    else await new Promise((resolve) => setImmediate(resolve));
  }
  stream.end();
  if ((await answer) !== 1) throw new Error('the server did not have it all');
  return (count * 1000) / (performance.now() - start);
}

/** 64 bytes there and back, one after the other. */
export async function rounds(stream: Duplex, count: number): Promise<number> {
  stream.write(Buffer.from([Job.Echo]));
  const start = performance.now();
  for (let n = 0; n < count; n += 1) await echo(stream, message);
  const figure = (count * 1000) / (performance.now() - start);
  stream.end();
  stream.resume();
  return figure;
}

export function startEcho(stream: Duplex): void {
  stream.write(Buffer.from([Job.Echo]));
}

export function echo(stream: Duplex, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = bytes.length;
    const closed = (): void => reject(new Error('closed'));
    const data = (part: Buffer): void => {
      left -= part.length;
      if (left > 0) return;
      stream.off('data', data).off('close', closed);
      resolve();
    };
    stream.on('data', data).on('close', closed);
    stream.write(bytes);
  });
}

/** So many loops at once for so long; turns per second. */
export async function loops(count: number, ms: number, turn: (loop: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  let turns = 0;
  const loop = async (index: number): Promise<void> => {
    while (performance.now() - start < ms) {
      await turn(index);
      turns += 1;
    }
  };
  await Promise.all(Array.from({ length: count }, (_, index) => loop(index)));
  return (turns * 1000) / (performance.now() - start);
}
