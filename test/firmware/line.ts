/** The serial line between a board and the gateway: a byte pipe that knows nothing, and outlives the board's power. */

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Line {
  readonly #server: Server;
  readonly #gatewayPort: number;
  #gateway!: Socket;
  #board: Socket | undefined;
  /** false: nothing comes through, and neither end is told. */
  up = true;
  /** Bytes that got through. */
  toGateway = 0;
  toBoard = 0;
  /** Bytes of the board's that did not, and bytes for the board, with nobody to hear them. */
  lost = 0;
  missed = 0;

  private constructor(server: Server, gatewayPort: number) {
    this.#server = server;
    this.#gatewayPort = gatewayPort;
    server.on('connection', (board) => this.#plugged(board));
  }

  static async open(gatewayPort: number): Promise<Line> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const line = new Line(server, gatewayPort);
    await line.plug();
    return line;
  }

  /** Into the gateway, which is there anew. */
  async plug(): Promise<void> {
    const gateway = connect(this.#gatewayPort, '127.0.0.1').setNoDelay(true);
    await once(gateway, 'connect');
    gateway.on('error', () => undefined);
    gateway.on('data', (piece) => {
      if (!this.up || !this.#board || this.#board.destroyed) return void (this.missed += piece.length);
      this.toBoard += piece.length;
      this.#board.write(piece);
    });
    this.#gateway = gateway;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #plugged(board: Socket): void {
    this.#board = board.setNoDelay(true).on('error', () => undefined);
    board.on('close', () => board === this.#board && (this.#board = undefined));
    board.on('data', (piece: Buffer) => {
      if (!this.up || this.#gateway.destroyed) return void (this.lost += piece.length);
      this.toGateway += piece.length;
      this.#gateway.write(piece);
    });
  }

  /** What a line picks up: a frame that is none of the gateway's. */
  noise(): void {
    this.#board?.write(Buffer.from([0, 0x14, 0x40, 0x01, ...Buffer.alloc(17, 0x55), 0]));
  }

  close(): void {
    this.#server.close();
    this.#gateway.destroy();
    this.#board?.destroy();
  }
}
