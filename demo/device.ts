/** One device of the demo: its `hawser connect` process and the two clients behind its local ports. */

import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import type { DownloadReport } from './downloader.js';
import { EventReader } from './events.js';
import { hawser, killHard, reachable, startHawser, startHelper, stop } from './processes.js';
import type { PublishCommand, PublishReport } from './publisher.js';

export interface Ports {
  /** Of the tearing proxy. */
  chaos: number;
  mqtt: number;
  http: number;
}

export interface Download {
  bytes: number;
  requests: number[];
  broken: string[];
  sha256: string | undefined;
}

/** Emits 'change' whenever a client has told something, 'burst' when messages were just published. */
export class DemoDevice extends EventEmitter {
  readonly events: EventReader;
  /** Numbers that the client sent again with MQTT's DUP flag. */
  readonly redelivered = new Set<number>();
  readonly acked = new Set<number>();
  /** What the client could not publish at all. */
  readonly failed: string[] = [];
  mqttConnects = 0;
  /** Device id, hex. */
  id = '';
  download: Download = emptyDownload();
  #tunnel: ChildProcess | undefined;
  #publisher: ChildProcess | undefined;
  #downloader: ChildProcess | undefined;

  constructor(
    readonly mode: string,
    readonly index: number,
    private readonly folder: string,
    private readonly ports: Ports,
  ) {
    super();
    this.setMaxListeners(0); // waiters come and go with every wait
    this.events = new EventReader(join(folder, `${mode}.events`));
  }

  get pairing(): string {
    return `${this.mode}.pairing.json`;
  }

  get chaosPort(): number {
    return this.ports.chaos;
  }

  /** Out of band: the CLI writes a file that only this device gets. */
  async pair(config: string): Promise<void> {
    const route = ['--address', `127.0.0.1:${this.ports.chaos}`];
    const output = await hawser(this.folder, [
      'pair',
      this.mode,
      '--mode',
      this.mode,
      '--allow',
      'mqtt,http',
      ...route,
      '-c',
      config,
      '--json',
      '-o',
      this.pairing,
    ]);
    this.id = (JSON.parse(output) as { device: string }).device;
  }

  async connect(): Promise<void> {
    const forwards = ['--forward', `${this.ports.mqtt}=mqtt`, '--forward', `${this.ports.http}=http`];
    const where = ['--pairing', this.pairing, '--state', `${this.mode}.state`, '--events', this.events.file];
    this.#tunnel = startHawser(this.folder, `device-${this.mode}`, ['connect', ...where, ...forwards]);
    await Promise.all([
      reachable(this.ports.mqtt, `device ${this.mode}`),
      reachable(this.ports.http, `device ${this.mode}`),
    ]);
  }

  /** As when the power fails. */
  kill(): Promise<void> {
    return killHard(this.#tunnel!);
  }

  /** Exit status of a polite end. */
  stop(): Promise<number | null> {
    return stop(this.#tunnel!);
  }

  async startClients(): Promise<void> {
    this.#publisher = startHelper(this.folder, `publisher-${this.mode}`, './publisher.ts', [
      this.mode,
      String(this.ports.mqtt),
    ]);
    this.#publisher.on('message', (report: PublishReport) => this.#published(report));
    this.#downloader = startHelper(this.folder, `downloader-${this.mode}`, './downloader.ts', [
      String(this.ports.http),
    ]);
    this.#downloader.on('message', (report: DownloadReport) => this.#downloaded(report));
    while (this.mqttConnects === 0) await once(this, 'change', { signal: AbortSignal.timeout(60_000) });
  }

  stopClients(): void {
    this.#publisher?.disconnect();
    this.#downloader?.disconnect();
  }

  publish(command: PublishCommand): void {
    this.#publisher!.send(command);
  }

  startDownload(): void {
    this.download = emptyDownload();
    this.#downloader!.send('go');
  }

  #published(report: PublishReport): void {
    if (report.type === 'connect') this.mqttConnects += 1;
    if (report.type === 'burst') this.emit('burst');
    if (report.type === 'acked') this.acked.add(report.n);
    if (report.type === 'failed') this.failed.push(`${report.n}: ${report.reason}`);
    if (report.type === 'redelivered') this.redelivered.add(report.n);
    this.emit('change');
  }

  #downloaded(report: DownloadReport): void {
    const { download } = this;
    if (report.type === 'request') download.requests.push(report.from);
    if (report.type === 'broken') download.broken.push(`at ${report.at}: ${report.reason}`);
    if (report.type === 'progress') download.bytes = report.bytes;
    if (report.type === 'done') Object.assign(download, { bytes: report.bytes, sha256: report.sha256 });
    this.emit('change');
  }
}

const emptyDownload = (): Download => ({ bytes: 0, requests: [], broken: [], sha256: undefined });
