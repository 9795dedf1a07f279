import { createGateway } from '../gateway.js';
import type { DropReport, GatewayEvents } from '../types.js';
import { command } from './command.js';
import { EventLog } from './events.js';
import { printable } from './io.js';
import type { Io } from './io.js';
import { CONFIG_HELP, CONFIG_OPTION, idText, withOperator } from './operator.js';
import type { Operator } from './operator.js';
import { endSignal } from './signals.js';
import { Tally } from './tally.js';

const LOGGED = [
  'session',
  'resume',
  'pause',
  'close',
  'chainReplaced',
  'handshake',
  'refused',
  'drop',
] as const satisfies (keyof GatewayEvents)[];

type Gateway = ReturnType<typeof createGateway>;

/** What an operator who watches wants to see; everything else goes to the event log alone. */
function narrate(gateway: Gateway, io: Io): void {
  const who = (device: Uint8Array | undefined, remote: string | undefined): string =>
    `${device ? `device ${idText(device)}` : 'somebody'}${remote === undefined ? '' : ` at ${printable(remote)}`}`;
  gateway.on('session', ({ device, remote }) => io.note(`${who(device, remote)}: session`));
  gateway.on('close', ({ device, remote }) => io.note(`${who(device, remote)}: session over`));
  gateway.on('error', (error) => io.note(`${io.colors.red('error:')} ${printable(error.message)}`));
}

/** What can come a thousand a second has a line in five seconds. */
function countFloods(gateway: Gateway, io: Io): Tally[] {
  const dropped = new Tally('dropped', (line) => io.note(line));
  const refused = new Tally('refused', (line) => io.note(line));
  // Silence is all that a ticket device whose flash was put back gets from now on: whoever can pair it again must know which.
  const passed = new Tally('passed ticket', (line) => io.note(line));
  const replaced = new Tally('live session replaced', (line) => io.note(line));
  gateway.on('chainReplaced', ({ device }) => replaced.add(`device ${idText(device)}`));
  gateway.on('drop', ({ reason, device }: DropReport) => {
    dropped.add(reason);
    if (reason === 'passedTicket' && device) passed.add(`device ${idText(device)}`);
  });
  gateway.on('refused', ({ device, upstream, reason }) =>
    refused.add(`device ${idText(device)}: ${printable(upstream)} (${reason})`),
  );
  return [dropped, refused, passed, replaced];
}

function makeGateway({ config, engine, identity, store }: Operator): Gateway {
  const { limits } = config;
  return createGateway({
    store,
    identity,
    engine,
    upstreams: config.upstreams,
    maxHalfOpen: limits.half_open,
    handshakeTimeout: limits.handshake,
    linger: limits.linger,
    connectTimeout: limits.upstream_connect,
    policyInterval: limits.policy_interval,
    ...(!config.gateway.early_data && { refuseEarly: () => true }),
  });
}

async function serve(operator: Operator, events: EventLog, io: Io): Promise<number> {
  const { host, port, serial_port: serialPort } = operator.config.listen;
  const ended = endSignal();
  const gateway = makeGateway(operator);
  for (const name of LOGGED) gateway.on(name, (report: object) => events.write(name, report));
  narrate(gateway, io);
  const tallies = countFloods(gateway, io);
  await gateway.listen({ host, port });
  if (serialPort > 0) await gateway.listen({ host, port: serialPort, framing: 'serial' });
  events.write('listening', { host, port, pid: process.pid, engine: operator.engine.name });
  io.note(`listening on ${host} port ${port}, engine ${operator.engine.name}`);
  const signal = await ended;
  io.note(`${signal}: finishing what is in flight`);
  await gateway.close({ drain: operator.config.limits.shutdown });
  tallies.forEach((tally) => tally.stop());
  events.write('stopped', { signal });
  return 0;
}

export const gateway = command({
  name: 'gateway',
  summary: 'serve devices',
  usage: `[--events FILE]

Serves the paired devices until SIGTERM or SIGINT; then it stops accepting, finishes what is in flight (limits.shutdown)
and exits with 0. Pairings made or revoked meanwhile by \`hawser pair\` and \`hawser revoke\` take effect at once.

${CONFIG_HELP}
      --events FILE      append what happens as lines of JSON; of one kind at most 100 a second, the rest is counted`,
  options: { ...CONFIG_OPTION, events: { type: 'string' } },
  positionals: [0, 0],
  async run(values, _positionals, io) {
    const events = await EventLog.open(values.events);
    try {
      return await withOperator(values.config, io, (operator) => serve(operator, events, io));
    } finally {
      await events.close();
    }
  },
});
