/**
 * A TCP proxy between devices and gateway that tears links: after a random number of bytes, wherever that falls, both
 * sockets are destroyed with RST.
 *
 *   chaos.ts SEED TARGET_PORT LISTEN_PORT...     one port for each device
 *
 * Told to by a message { arm: [least, most] }, it gives each new link, and those that are open, so many bytes to live.
 */

import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import { DirectionScanner, seeMessage1, seeMessage2 } from '../lib/cli/inspect/wire.js';
import type { SeenMessage } from '../lib/cli/inspect/wire.js';
import { Random } from './random.js';

export type ChaosCommand = { arm: [least: number, most: number] } | { disarm: true };
export interface ChaosReport {
  cut: number;
  /** Bytes that passed on this link. */
  bytes: number;
  /** Whether that fell into the middle of a message or record. */
  torn: boolean;
}

/** One link in this many dies within its handshake. */
const EARLY_DEATH = 6;
const HANDSHAKE_BYTES = 140;

const [seed, target, ...ports] = process.argv.slice(2);
let armed: [number, number] | undefined;
const links = new Set<Link>();

/** Both directions of one connection. */
class Link {
  #passed = 0;
  #limit = Infinity;
  #over = false;
  readonly #gateway: Socket;
  #first: SeenMessage | undefined;
  readonly #out = new DirectionScanner((message) => (this.#first = seeMessage1(message)));
  readonly #back = new DirectionScanner((message) => this.#first && seeMessage2(message, this.#first));

  constructor(
    private readonly index: number,
    private readonly random: Random,
    private readonly device: Socket,
  ) {
    this.#gateway = connect({ port: Number(target), host: '127.0.0.1', noDelay: true });
    this.#carry(device, this.#gateway, this.#out);
    this.#carry(this.#gateway, device, this.#back);
    if (armed) this.arm(armed, true);
  }

  arm([least, most]: [number, number], fresh: boolean): void {
    const early = fresh && this.random.between(0, EARLY_DEATH) === 0;
    this.#limit = this.#passed + (early ? this.random.between(1, HANDSHAKE_BYTES) : this.random.between(least, most));
  }

  disarm(): void {
    this.#limit = Infinity;
  }

  #carry(from: Socket, to: Socket, scanner: DirectionScanner): void {
    from.on('data', (chunk: Buffer) => this.#pass(from, to, chunk, scanner));
    from.on('end', () => to.end());
    from.on('error', () => this.#drop());
    from.on('close', () => links.delete(this));
  }

  #pass(from: Socket, to: Socket, chunk: Buffer, scanner: DirectionScanner): void {
    if (this.#over) return;
    const part = chunk.subarray(0, this.#limit - this.#passed);
    this.#passed += part.length;
    scanner.take(part, 0);
    if (!to.write(part)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
    if (this.#passed >= this.#limit) this.#cut(to);
  }

  /** At once, or a little later, so that the torn piece arrives. */
  #cut(to: Socket): void {
    this.#over = true;
    const torn = [this.#out, this.#back].some((scanner) => scanner.end().partial > 0);
    const report: ChaosReport = { cut: this.index, bytes: this.#passed, torn };
    const reset = (): void => {
      this.#drop();
      process.send!(report);
    };
    if (this.random.between(0, 2) === 0) reset();
    else to.write('', () => setTimeout(reset, this.random.between(1, 30)));
  }

  /** RST on both sides. */
  #drop(): void {
    this.#over = true;
    links.delete(this);
    this.device.resetAndDestroy();
    this.#gateway.resetAndDestroy();
  }
}

function listen(port: string, index: number): void {
  const random = new Random(`${seed}/link ${index}`);
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
    links.add(new Link(index, random, socket)),
  );
  server.listen(Number(port), '127.0.0.1');
}

process.on('message', (command: ChaosCommand) => {
  armed = 'arm' in command ? command.arm : undefined;
  for (const link of links) {
    if (armed) link.arm(armed, false);
    else link.disarm();
  }
});
process.on('disconnect', () => process.exit());
ports.forEach(listen);
