/** Shows how far a phase is: one line that is drawn anew on a terminal, a line every few seconds elsewhere. */

import type { World } from './world.js';

const EVERY_MS = process.stderr.isTTY ? 100 : 3000;

export class Progress {
  #last = '';
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly world: World,
    private readonly title: string,
    private readonly fileBytes: number,
    private readonly to: number,
  ) {
    this.#timer = setInterval(() => this.#draw(), EVERY_MS);
  }

  #text(): string {
    const devices = this.world.devices.map(({ mode, acked, download }) => {
      const percent = Math.floor((100 * download.bytes) / this.fileBytes);
      return `${mode}: ${acked.size}/${this.to} messages, file ${percent} %`;
    });
    return `${this.title}  ${devices.join(' | ')} | ${this.world.cuts.length} cuts`;
  }

  #draw(): void {
    const text = this.#text();
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
    else if (text !== this.#last) process.stderr.write(`${text}\n`);
    this.#last = text;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#draw();
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
}
