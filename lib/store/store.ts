/**
 * The store of SPEC 7.5 over any transactional table of bytes: sealing, versions, the index of tickets, revocation for good, schema upgrades.
 *
 *   'd' id           DeviceRecord, sealed
 *   'c' id           u48 version || ChainState with its tickets, sealed
 *   'f' fingerprint  id of the pairing that has this secret
 *   'm' name         schema, incarnation, generation, revision, check
 *   tickets          ticket -> ids (several: 8 bytes may collide)
 */

import { randomBytes } from 'node:crypto';

import { Mode } from '../engine.js';
import { HawserError } from '../errors.js';
import type { ChainState, DeviceRecord, GatewayPairing, Store, StoreEntry } from '../types.js';
import { decodeRecord, decodeState, encodeRecord, encodeState, latin1, remember, Seal } from './codec.js';
import type { Tombstone, Tombstones } from './tombstones.js';

/** Runs inside a transaction. */
export interface Table {
  get(key: Uint8Array): Buffer | undefined;
  put(key: Uint8Array, value: Uint8Array): void;
  remove(key: Uint8Array): void;
  keys(first: string): Iterable<Buffer>;
  addTicket(ticket: Uint8Array, id: Uint8Array): void;
  removeTicket(ticket: Uint8Array, id: Uint8Array): void;
}

export interface Backend {
  readonly linearizable: boolean;
  get(key: Uint8Array): Buffer | undefined;
  keys(first: string): Iterable<Buffer>;
  idsOf(ticket: Uint8Array): Buffer[];
  /** One at a time, all or nothing as seen by others. The action checks everything before its first write. */
  transaction<T>(action: (table: Table) => T): Promise<T>;
  /** The next read sees what other processes have committed. */
  refresh(): void;
  /** All transactions that have resolved survive a power cut. */
  flushed(): Promise<void>;
  close(): Promise<void>;
}

/** Takes a store from the schema of its index + 1 to the next. */
export type Upgrade = (table: Table, seal: Seal) => void;
const upgrades: readonly Upgrade[] = [];

const checkText = Buffer.from('hawser store');
const versionLength = 6;
const serialForm = /^[0-9a-f]{32}$/;
const defaultAhead = 2;
/** As long as an answer waits for its first record (SPEC 7.5 rule 4). Milliseconds. */
const rememberedFor = 60_000;

export interface SealedStoreOptions {
  sealingKey: Uint8Array;
  tombstones: Tombstones;
  /** For errors: which store this is. */
  label: string;
  /** For tests of the upgrade path. */
  upgrades?: readonly Upgrade[];
  /** For tests: milliseconds on a clock that does not go back. */
  now?: () => number;
}

export class SealedStore implements Store {
  readonly linearizable: boolean;
  readonly #backend: Backend;
  readonly #seal: Seal;
  readonly #tombstones: Tombstones;
  readonly #label: string;
  readonly #upgrades: readonly Upgrade[];
  /** Decoded static records by id, each while its sealed bytes are the stored ones. */
  readonly #records = new Map<string, { sealed: Buffer; record: DeviceRecord }>();
  /** For as long as a handshake may need them: they hold secrets of positions, which another process may pass and erase. */
  readonly #states = new Map<string, KnownState>();
  readonly #now: () => number;
  #closed = false;

  private constructor(backend: Backend, options: SealedStoreOptions) {
    this.#backend = backend;
    this.linearizable = backend.linearizable;
    this.#seal = new Seal(options.sealingKey);
    this.#tombstones = options.tombstones;
    this.#label = options.label;
    this.#upgrades = options.upgrades ?? upgrades;
    this.#now = options.now ?? (() => performance.now());
  }

  /** ERR_HAWSER_CONFIG: another sealing key, or a schema that this version does not know. Takes over what it was given. */
  static async open(backend: Backend, options: SealedStoreOptions): Promise<SealedStore> {
    try {
      const store = new SealedStore(backend, options);
      await backend.transaction((table) => store.#start(table));
      await backend.flushed();
      return store;
    } catch (error) {
      options.tombstones.close();
      await backend.close();
      throw error;
    }
  }

  // ---- Opening --------------------------------------------------------------------------------------------------

  #start(table: Table): void {
    const schema = this.#upgrades.length + 1;
    const found = readNumber(table.get(meta('schema')));
    if (found === undefined) this.#create(table);
    else this.#checkKeyAndSchema(table, found, schema);
    for (let from = found ?? schema; from < schema; from += 1) this.#upgrades[from - 1]?.(table, this.#seal);
    table.put(meta('schema'), number(schema));
    this.#countGeneration(table);
    for (const tombstone of this.#tombstones.all()) this.#bury(table, tombstone);
  }

  #create(table: Table): void {
    table.put(meta('check'), this.#seal.seal(checkText, meta('check'), checkText));
    table.put(incarnationKey, newIncarnation());
    table.put(meta('revision'), number(0));
  }

  #checkKeyAndSchema(table: Table, found: number, schema: number): void {
    const check = table.get(meta('check'));
    if (!check || !this.#seal.open(checkText, meta('check'), check)) {
      throw new HawserError('ERR_HAWSER_CONFIG', `${this.#label}: sealed with another sealing key`);
    }
    if (found > schema) {
      throw new HawserError(
        'ERR_HAWSER_CONFIG',
        `${this.#label}: schema ${found}, newer than ${schema}, which is all this version knows`,
      );
    }
  }

  /**
   * Both the store and the log outside it count openings. A store that counts behind its log was put back from a backup without the
   * operator's restore(): durable writes are gone, so the incarnation must change.
   */
  #countGeneration(table: Table): void {
    const own = readNumber(table.get(meta('generation'))) ?? 0;
    const logged = this.#tombstones.generation() ?? own;
    if (logged !== own) table.put(incarnationKey, newIncarnation());
    const next = Math.max(own, logged) + 1;
    this.#tombstones.setGeneration(next);
    table.put(meta('generation'), number(next));
  }

  /** A dead pairing that a backup brought back. */
  #bury(table: Table, tombstone: Tombstone): void {
    const id = Buffer.from(tombstone.id, 'hex');
    const record = this.#readRecord(table.get(deviceKey(id)), id);
    if (record?.serial !== tombstone.serial) return;
    if (tombstone.ending !== 'revoked') this.#erase(table, record);
    else if (record.revoked === undefined) this.#writeRecord(table, { ...record, revoked: Date.now() });
    else return;
    this.#touch(table);
  }

  // ---- Reading --------------------------------------------------------------------------------------------------

  get incarnation(): string {
    return this.#incarnationIn(this.#backend);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- an embedded store answers at once
  async revision(): Promise<number> {
    this.#assertOpen();
    this.#backend.refresh();
    this.#forgetOld();
    return readNumber(this.#backend.get(meta('revision'))) ?? 0;
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async get(id: Uint8Array): Promise<StoreEntry | undefined> {
    this.#assertOpen();
    return this.#entry(this.#backend, id);
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async byTicket(ticket: Uint8Array): Promise<StoreEntry[]> {
    this.#assertOpen();
    const entries = this.#backend.idsOf(ticket).map((id) => this.#entry(this.#backend, id));
    return entries.filter((entry) => entry !== undefined);
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async *list(): AsyncIterable<StoreEntry> {
    this.#assertOpen();
    for (const key of [...this.#backend.keys('d')]) {
      const entry = this.#entry(this.#backend, key.subarray(1));
      if (entry) yield entry;
    }
  }

  #entry(table: Pick<Table, 'get'>, id: Uint8Array): StoreEntry | undefined {
    const record = this.#readRecord(table.get(deviceKey(id)), id);
    const chain = this.#readState(table.get(chainKey(id)), id);
    return record && chain && { record, state: chain.state, version: chain.version };
  }

  #readRecord(sealed: Buffer | undefined, id: Uint8Array): DeviceRecord | undefined {
    if (!sealed) return undefined;
    const name = latin1(id);
    const cached = this.#records.get(name);
    if (cached?.sealed.equals(sealed)) return cached.record;
    const record = decodeRecord(this.#openOrThrow(id, deviceKey(id), sealed));
    remember(this.#records, name, { sealed: Buffer.from(sealed), record });
    return record;
  }

  /** A handshake reads the same state several times: it is opened once for the same bytes. What comes out is never changed in place. */
  #readState(value: Buffer | undefined, id: Uint8Array): OpenState | undefined {
    if (!value) return undefined;
    const name = latin1(id);
    const known = this.#states.get(name);
    if (known?.value.equals(value)) return known.open;
    const version = value.readUIntBE(0, versionLength);
    const plain = this.#openOrThrow(id, stateAd(id, version), value.subarray(versionLength));
    const open = { ...decodeState(plain), version };
    this.#remember(name, Buffer.from(value), open);
    return open;
  }

  #remember(name: string, value: Buffer, open: OpenState): void {
    this.#forgetOld();
    remember(this.#states, name, { value, open, until: this.#now() + rememberedFor });
  }

  /** The oldest come first. */
  #forgetOld(): void {
    const now = this.#now();
    for (const [name, { until }] of this.#states) {
      if (until > now) return;
      this.#states.delete(name);
    }
  }

  /** @internal States that are held open. */
  get remembered(): number {
    return this.#states.size;
  }

  #openOrThrow(id: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Buffer {
    const plain = this.#seal.open(id, ad, sealed);
    if (plain) return plain;
    const device = Buffer.from(id).toString('hex');
    throw new HawserError(
      'ERR_HAWSER_STORAGE',
      `${this.#label}: the record of device ${device} was altered or is damaged`,
    );
  }

  // ---- Pairings -------------------------------------------------------------------------------------------------

  async add(pairing: GatewayPairing, options: { replace?: boolean } = {}): Promise<void> {
    this.#assertOpen();
    this.#checkPairing(pairing);
    const { record } = pairing;
    // Checked inside the transaction once more: two tools may add at once.
    this.#checkFree(this.#backend, pairing, options.replace ?? false);
    const old = this.#readRecord(this.#backend.get(deviceKey(record.id)), record.id);
    if (old) this.#tombstones.add({ serial: old.serial, id: hex(old.id), ending: 'replaced' });
    await this.#backend.transaction((table) => {
      this.#checkFree(table, pairing, options.replace ?? false);
      const present = this.#readRecord(table.get(deviceKey(record.id)), record.id);
      if (present) this.#erase(table, present);
      this.#insert(table, pairing);
      this.#touch(table);
    });
    await this.#backend.flushed();
  }

  #checkPairing({ record, chain, tickets }: GatewayPairing): void {
    const wrong = (field: string, reason: string): HawserError =>
      new HawserError('ERR_HAWSER_CONFIG', `pairing of device ${hex(record.id)}: ${field}: ${reason}`);
    if (record.id.length < 4 || record.id.length > 32) throw wrong('id', 'must have 4..32 bytes');
    if (!serialForm.test(record.serial)) throw wrong('serial', 'must be 32 lower-case hex digits');
    if (this.#tombstones.get(record.serial)) throw wrong('serial', 'was used before and is dead');
    if ((record.mode === Mode.Ticket) !== (chain !== undefined))
      throw wrong('chain', 'belongs to mode ticket, and there only');
    if (chain !== undefined && !tickets?.length) throw wrong('tickets', 'must be those of the chain');
  }

  #checkFree(table: Pick<Table, 'get'>, { record, chain }: GatewayPairing, replace: boolean): void {
    const device = hex(record.id);
    if (table.get(deviceKey(record.id)) && !replace) {
      throw new HawserError('ERR_HAWSER_CONFIG', `device ${device} is paired already; replace it or choose another id`);
    }
    for (const { kind, print } of this.#prints(record, chain?.id)) {
      const owner = table.get(printKey(print));
      if (owner && !owner.equals(record.id)) {
        throw new HawserError(
          'ERR_HAWSER_CONFIG',
          `pairing of device ${device}: its ${kind} belongs to device ${hex(owner)} already`,
        );
      }
    }
  }

  #prints(record: DeviceRecord, chain: Uint8Array | undefined): { kind: string; print: Buffer }[] {
    const secrets: [string, Uint8Array | undefined][] = [
      ['psk', record.psk],
      ['public key', record.publicKey],
      ['ticket', record.mode === Mode.Ticket ? chain : undefined],
    ];
    return secrets.flatMap(([kind, secret]) => (secret ? [{ kind, print: this.#seal.fingerprint(kind, secret) }] : []));
  }

  #insert(table: Table, { record, chain, tickets }: GatewayPairing): void {
    const state: ChainState = {
      ahead: defaultAhead,
      early: { kind: 'none' },
      incarnation: this.#incarnationIn(table),
      owner: '',
    };
    if (chain) state.chain = chain;
    this.#writeRecord(table, record);
    // A version that no earlier pairing of this id can have had: a late compare-and-set of the old one fails.
    const version = readNumber(table.get(meta('revision'))) ?? 0;
    this.#writeState(table, record.id, (version + 1) * 2 ** 20, state, [], tickets ?? []);
    for (const { print } of this.#prints(record, chain?.id)) table.put(printKey(print), record.id);
  }

  #erase(table: Table, record: DeviceRecord): void {
    const { id } = record;
    const old = this.#readState(table.get(chainKey(id)), id);
    for (const ticket of old?.tickets ?? []) table.removeTicket(ticket, id);
    for (const { print } of this.#prints(record, old?.state.chain?.id)) table.remove(printKey(print));
    table.remove(deviceKey(id));
    table.remove(chainKey(id));
    this.#records.delete(latin1(id));
    this.#states.delete(latin1(id));
  }

  update(id: Uint8Array, change: Partial<DeviceRecord>): Promise<boolean> {
    const { name, upstreams, notBefore, expiry, limits } = change;
    const allowed = Object.entries({ name, upstreams, notBefore, expiry, limits }).filter(([field]) => field in change);
    return this.#change(id, (record) => ({ ...record, ...(Object.fromEntries(allowed) as Partial<DeviceRecord>) }));
  }

  async revoke(id: Uint8Array): Promise<boolean> {
    this.#assertOpen();
    const record = this.#readRecord(this.#backend.get(deviceKey(id)), id);
    if (!record) return false;
    if (!this.#tombstones.get(record.serial))
      this.#tombstones.add({ serial: record.serial, id: hex(id), ending: 'revoked' });
    return this.#change(id, (present) =>
      present.serial === record.serial ? { ...present, revoked: present.revoked ?? Date.now() } : present,
    );
  }

  async remove(id: Uint8Array): Promise<boolean> {
    this.#assertOpen();
    const record = this.#readRecord(this.#backend.get(deviceKey(id)), id);
    if (!record) return false;
    this.#tombstones.add({ serial: record.serial, id: hex(id), ending: 'removed' });
    await this.#backend.transaction((table) => {
      const present = this.#readRecord(table.get(deviceKey(id)), id);
      if (present?.serial === record.serial) this.#erase(table, present);
      this.#touch(table);
    });
    await this.#backend.flushed();
    return true;
  }

  async #change(id: Uint8Array, change: (record: DeviceRecord) => DeviceRecord): Promise<boolean> {
    this.#assertOpen();
    const done = await this.#backend.transaction((table) => {
      const record = this.#readRecord(table.get(deviceKey(id)), id);
      if (!record) return false;
      this.#writeRecord(table, change(record));
      this.#touch(table);
      return true;
    });
    await this.#backend.flushed();
    return done;
  }

  // ---- Chains ---------------------------------------------------------------------------------------------------

  async compareAndSet(
    id: Uint8Array,
    version: number,
    state: ChainState,
    tickets: readonly Uint8Array[],
    durable: boolean,
  ): Promise<boolean> {
    this.#assertOpen();
    const key = chainKey(id);
    const present = this.#known(id, version);
    if (!present) return false;
    const plain = encodeState(state, tickets);
    const value = this.#sealPlain(id, version + 1, plain);
    const done = await this.#backend.transaction((table) => {
      if (!table.get(key)?.equals(present.value)) return false;
      this.#replaceTickets(table, id, present.open.tickets, tickets);
      table.put(key, value);
      // As if it had been read again, and not of the caller's arrays.
      this.#remember(latin1(id), value, { ...decodeState(plain), version: version + 1 });
      return true;
    });
    if (done && durable) await this.#backend.flushed();
    return done;
  }

  /** The state of this version. One that this process read or wrote is not read again: the transaction sees whether it still stands. */
  #known(id: Uint8Array, version: number): KnownState | undefined {
    const name = latin1(id);
    if (this.#states.get(name)?.open.version !== version) this.#readState(this.#backend.get(chainKey(id)), id);
    const known = this.#states.get(name);
    return known?.open.version === version ? known : undefined;
  }

  async restore(ahead: number, tickets: (state: ChainState) => Uint8Array[]): Promise<void> {
    this.#assertOpen();
    if (!Number.isInteger(ahead) || ahead < defaultAhead || ahead > 250) {
      throw new HawserError('ERR_HAWSER_ARG', `blocks ahead: ${ahead} is not in ${defaultAhead}..250`);
    }
    await this.#backend.transaction((table) => {
      table.put(incarnationKey, newIncarnation());
      for (const key of [...table.keys('d')]) this.#restoreOne(table, key.subarray(1), ahead, tickets);
      this.#touch(table);
    });
    this.#states.clear();
    await this.#backend.flushed();
  }

  /** Every version moves, so that a handshake that began before fails its compare-and-set. */
  #restoreOne(table: Table, id: Buffer, ahead: number, tickets: (state: ChainState) => Uint8Array[]): void {
    const record = this.#readRecord(table.get(deviceKey(id)), id);
    const present = this.#readState(table.get(chainKey(id)), id);
    if (!record || !present) return;
    const raise = record.mode === Mode.Ticket;
    const state = raise ? { ...present.state, ahead } : present.state;
    this.#writeState(table, id, present.version + 1, state, present.tickets, raise ? tickets(state) : present.tickets);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#backend.flushed();
    this.#tombstones.close();
    await this.#backend.close();
  }

  // ---- Writing --------------------------------------------------------------------------------------------------

  #writeRecord(table: Table, record: DeviceRecord): void {
    const key = deviceKey(record.id);
    table.put(key, this.#seal.seal(record.id, key, encodeRecord(record)));
  }

  #writeState(
    table: Table,
    id: Uint8Array,
    version: number,
    state: ChainState,
    old: readonly Uint8Array[],
    tickets: readonly Uint8Array[],
  ): void {
    this.#replaceTickets(table, id, old, tickets);
    table.put(chainKey(id), this.#sealState(id, version, state, tickets));
  }

  #sealState(id: Uint8Array, version: number, state: ChainState, tickets: readonly Uint8Array[]): Buffer {
    return this.#sealPlain(id, version, encodeState(state, tickets));
  }

  #sealPlain(id: Uint8Array, version: number, plain: Buffer): Buffer {
    const ad = stateAd(id, version);
    return this.#seal.seal(id, ad, plain, ad.subarray(-versionLength));
  }

  #replaceTickets(table: Table, id: Uint8Array, old: readonly Uint8Array[], next: readonly Uint8Array[]): void {
    const has = (list: readonly Uint8Array[], ticket: Uint8Array): boolean =>
      list.some((other) => Buffer.compare(other, ticket) === 0);
    for (const ticket of old) if (!has(next, ticket)) table.removeTicket(ticket, id);
    for (const ticket of next) if (!has(old, ticket)) table.addTicket(ticket, id);
  }

  #touch(table: Table): void {
    table.put(meta('revision'), number((readNumber(table.get(meta('revision'))) ?? 0) + 1));
  }

  #incarnationIn(table: Pick<Table, 'get'>): string {
    return table.get(incarnationKey)?.toString('latin1') ?? '';
  }

  #assertOpen(): void {
    if (this.#closed) throw new HawserError('ERR_HAWSER_CLOSED', `${this.#label}: the store is closed`);
  }
}

const keyed = (first: string, rest: Uint8Array): Buffer => {
  const key = Buffer.alloc(1 + rest.length, first);
  key.set(rest, 1);
  return key;
};
const deviceKey = (id: Uint8Array): Buffer => keyed('d', id);
const chainKey = (id: Uint8Array): Buffer => keyed('c', id);
const printKey = (print: Uint8Array): Buffer => keyed('f', print);
const meta = (name: string): Buffer => Buffer.from(`m${name}`);
const incarnationKey = meta('incarnation');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const newIncarnation = (): Buffer => Buffer.from(randomBytes(8).toString('hex'));

/** Its key and its version. */
function stateAd(id: Uint8Array, version: number): Buffer {
  const bytes = Buffer.alloc(1 + id.length + versionLength, 'c');
  bytes.set(id, 1);
  bytes.writeUIntBE(version, 1 + id.length, versionLength);
  return bytes;
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}

function readNumber(bytes: Buffer | undefined): number | undefined {
  return bytes?.readUIntBE(0, 6);
}

interface KnownState {
  /** As it is stored. */
  value: Buffer;
  open: OpenState;
  until: number;
}

interface OpenState {
  state: ChainState;
  tickets: readonly Uint8Array[];
  version: number;
}
