import { recordFingerprint } from '../pairing.js';
import { modeName, suiteName } from '../pairing/terms.js';
import type { StoreEntry } from '../types.js';
import { command } from './command.js';
import { json, printable, table } from './io.js';
import { CONFIG_HELP, CONFIG_OPTION, findDevice, idText, stateOf, withOperator } from './operator.js';
import type { Operator } from './operator.js';

const time = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

/** No secret of the record is among these. */
function data(entry: StoreEntry, { identity }: Operator): object {
  const { record, state } = entry;
  return {
    name: record.name,
    device: idText(record.id),
    state: stateOf(entry),
    mode: modeName(record.mode),
    suite: suiteName(record.suite),
    fingerprint: recordFingerprint(identity, record, state.chain),
    upstreams: record.upstreams,
    created: time(record.created),
    notBefore: time(record.notBefore),
    expiry: time(record.expiry),
    revoked: time(record.revoked),
    ...(state.chain && { position: { block: state.chain.b, step: state.chain.i } }),
  };
}

const HEADING = ['NAME', 'DEVICE', 'STATE', 'MODE', 'SUITE', 'ALLOWED', 'EXPIRES', 'POSITION', 'FINGERPRINT'];

function row(entry: StoreEntry, { identity }: Operator): string[] {
  const { record, state } = entry;
  return [
    printable(record.name),
    idText(record.id),
    stateOf(entry),
    modeName(record.mode),
    suiteName(record.suite),
    record.upstreams.join(','),
    time(record.expiry)?.slice(0, 10) ?? 'never',
    state.chain ? `${state.chain.b}.${state.chain.i}` : '-',
    recordFingerprint(identity, record, state.chain),
  ];
}

async function chosen({ store }: Operator, wanted: string | undefined): Promise<StoreEntry[]> {
  if (wanted !== undefined) return [await findDevice(store, wanted)];
  const entries: StoreEntry[] = [];
  for await (const entry of store.list()) entries.push(entry);
  return entries.sort((a, b) => a.record.created - b.record.created);
}

export const devices = command({
  name: 'devices',
  summary: 'list the paired devices',
  usage: `[NAME|ID] [--json]

Lists devices, their state, what they may reach, and where their resumption chain stands (block.step).

${CONFIG_HELP}`,
  options: { ...CONFIG_OPTION, json: { type: 'boolean' } },
  positionals: [0, 1],
  run: (values, [wanted], io) =>
    withOperator(values.config, io, async (operator) => {
      const entries = await chosen(operator, wanted);
      if (values.json) io.out(json({ devices: entries.map((entry) => data(entry, operator)) }));
      else io.out(table([HEADING, ...entries.map((entry) => row(entry, operator))], io.colors));
      return 0;
    }),
});
