import { access } from 'node:fs/promises';
import { readConfig } from '../config.js';
import type { GatewayConfig } from '../config.js';
import { command } from './command.js';
import { json } from './io.js';
import { CONFIG_HELP, CONFIG_OPTION, configFile, idText, stateOf, withOperator } from './operator.js';
import type { Operator } from './operator.js';
import { lines } from './inspect/report.js';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** J of a device that no `restore` has raised, SPEC 7.5 rule 1. */
const USUAL_AHEAD = 2;

interface StoreStatus {
  incarnation: string;
  /** Devices by state; only states that occur. */
  devices: Record<string, number>;
  /** Devices that are looked for further ahead than usual, because a backup was put back, and how far. */
  restored: { devices: number; ahead: number };
}

async function storeStatus({ store }: Operator): Promise<StoreStatus> {
  const devices: Record<string, number> = {};
  const restored = { devices: 0, ahead: USUAL_AHEAD };
  for await (const entry of store.list()) {
    const state = stateOf(entry);
    devices[state] = (devices[state] ?? 0) + 1;
    if (entry.state.ahead > USUAL_AHEAD) restored.devices += 1;
    restored.ahead = Math.max(restored.ahead, entry.state.ahead);
  }
  return { incarnation: store.incarnation, devices, restored };
}

function text(config: GatewayConfig, status: StoreStatus | undefined): string {
  const states = Object.entries(status?.devices ?? {}).map(([state, count]) => `${count} ${state}`);
  const pairs: [string, string][] = [
    ['gateway', `${idText(config.id)}, ${config.file}`],
    ['listens on', `${config.listen.host} port ${config.listen.port}`],
    ['upstreams', Object.keys(config.upstreams).join(', ') || 'none: name them in the file'],
    ['store', status ? config.files.store : `${config.files.store}: not there yet; \`hawser pair\` makes it`],
  ];
  if (status) {
    const { devices, ahead } = status.restored;
    const raised = devices > 0 ? `, up to ${ahead} for ${devices} devices since a restore` : '';
    pairs.push(['incarnation', status.incarnation]);
    pairs.push(['devices', states.join(', ') || 'none']);
    pairs.push(['blocks ahead', `${USUAL_AHEAD}${raised}`]);
  }
  return lines(pairs);
}

export const status = command({
  name: 'status',
  summary: 'what is configured here, and how many devices are paired (also: hawser alone)',
  usage: `[--json]

Shows the gateway of gateway.toml: where it listens, its upstreams, its store, and its devices by state.

${CONFIG_HELP}`,
  options: { ...CONFIG_OPTION, json: { type: 'boolean' } },
  positionals: [0, 0],
  async run(values, _positionals, io) {
    const config = await readConfig(configFile(values.config, io));
    // Opening a store makes it, and whoever only looks should leave nothing behind.
    const found = (await exists(config.files.store)) ? await withOperator(values.config, io, storeStatus) : undefined;
    if (!values.json) io.out(text(config, found));
    else {
      const { listen, upstreams, files } = config;
      const store = { path: files.store, ...found };
      io.out(json({ gateway: idText(config.id), file: config.file, listen, upstreams: Object.keys(upstreams), store }));
    }
    return 0;
  },
});
