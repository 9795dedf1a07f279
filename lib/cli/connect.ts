import { readSecretFile } from '../config/keys.js';
import { connect as connectDevice } from '../device.js';
import { Mode } from '../engine.js';
import { selectEngine } from '../engine/select.js';
import { HawserError } from '../errors.js';
import { readPairing } from '../pairing.js';
import { FileStorage } from '../storage.js';
import type { ConnectOptions, DevicePairing, SessionEvents } from '../types.js';
import { UsageError, address, command, wholeNumber } from './command.js';
import { EventLog } from './events.js';
import { Forwarder, parseForward } from './forward.js';
import type { Forward } from './forward.js';
import { printable } from './io.js';
import type { Io } from './io.js';
import { endSignal } from './signals.js';

const LOGGED = [
  'session',
  'resume',
  'pause',
  'handshake',
  'verdict',
  'drop',
] as const satisfies (keyof SessionEvents)[];
const SHUTDOWN_MS = 5000;

type Session = Awaited<ReturnType<typeof connectDevice>>;

/** A pairing holds secrets in both forms: refused while others may read it. */
async function pairingOf(file: string): Promise<DevicePairing> {
  const bytes = await readSecretFile(file);
  try {
    return readPairing(bytes);
  } catch (error) {
    throw error instanceof HawserError
      ? new HawserError(error.code, `${file}: ${error.message}`, { cause: error })
      : error;
  }
}

function narrate(session: Session, io: Io): void {
  session.on(
    'pause',
    (reason) =>
      !session.closed && io.note(`link lost${reason ? `: ${printable(reason.message)}` : ''}; connecting again`),
  );
  session.on('warning', (message) => io.note(`${io.colors.yellow('warning:')} ${printable(message)}`));
  if (io.env['HAWSER_DEBUG']) session.on('debug', (message) => io.note(printable(message)));
  session.on('resume', ({ continued }) => io.note(continued ? 'resumed, streams go on' : 'resumed with a new session'));
}

async function listen(forwards: Forward[], session: Session, events: EventLog, io: Io): Promise<Forwarder[]> {
  const open: Forwarder[] = [];
  for (const forward of forwards) {
    const forwarder = await Forwarder.listen(forward, (upstream) => session.open(upstream), {
      closed: ({ upstream }, error) => {
        events.write('stream', { upstream, ...(error && { error }) });
        if (error) io.note(`${upstream}: ${printable(error.message)}`);
      },
    });
    events.write('forward', { host: forward.host, port: forwarder.port, upstream: forward.upstream });
    io.note(`${forward.host}:${forwarder.port} leads to ${forward.upstream}`);
    open.push(forwarder);
  }
  return open;
}

/** Until a signal, or until the session ends by itself. */
async function serve(options: ConnectOptions, forwards: Forward[], events: EventLog, io: Io): Promise<number> {
  const ended = endSignal();
  let failure: Error | undefined;
  const session = await connectDevice({ ...options, lazy: true });
  session.on('error', (error) => {
    failure = error;
    io.note(`${io.colors.red('error:')} ${printable(error.message)}`);
  });
  for (const name of LOGGED) session.on(name, (report?: unknown) => events.write(name, reported(report)));
  session.on('warning', (message) => events.write('warning', { message }));
  narrate(session, io);
  const over = new Promise<'over'>((resolve) => session.once('close', () => resolve('over')));
  const forwarders = await listen(forwards, session, events, io).catch(async (error: unknown) => {
    await session.close();
    throw error;
  });
  events.write('ready', { pid: process.pid });
  const reason = await Promise.race([ended, over]);
  if (reason !== 'over') io.note(`${reason}: finishing`);
  await Promise.all(forwarders.map((forwarder) => forwarder.close(reason === 'over' ? 0 : SHUTDOWN_MS)));
  await session.close();
  events.write('stopped', { reason });
  return reason === 'over' && failure ? 1 : 0;
}

function reported(report: unknown): object {
  if (report instanceof Error) return { error: report };
  return typeof report === 'object' && report !== null ? report : {};
}

export const connect = command({
  name: 'connect',
  summary: 'be a device: local ports that lead to upstreams',
  usage: `--pairing FILE --forward PORT=NAME [...]

Keeps a session with the gateway and forwards local TCP ports through it to upstreams by name. Ends on SIGTERM or SIGINT.

      --pairing FILE     what \`hawser pair\` wrote
      --forward F        PORT=NAME or HOST:PORT=NAME; may be repeated. Loopback unless --expose is given
      --expose           allow a HOST that other machines can reach
      --state DIR        where the device keeps its resumption chain; mode ticket needs it
      --gateway H:P      instead of the pairing's addresses; may be repeated
      --streams N        streams at once (default 16)
      --events FILE      append what happens as lines of JSON; of one kind at most 100 a second, the rest is counted`,
  options: {
    pairing: { type: 'string' },
    forward: { type: 'string', multiple: true },
    expose: { type: 'boolean' },
    state: { type: 'string' },
    gateway: { type: 'string', multiple: true },
    streams: { type: 'string' },
    events: { type: 'string' },
  },
  positionals: [0, 0],
  async run(values, _positionals, io) {
    if (values.pairing === undefined) throw new UsageError('--pairing: say which file');
    const forwards = (values.forward ?? []).map((text) => parseForward(text, values.expose === true));
    if (forwards.length === 0) throw new UsageError('--forward: say at least one PORT=NAME');
    const pairing = await pairingOf(values.pairing);
    const addresses = values.gateway?.map((text) => address('--gateway', text)) ?? pairing.addresses;
    if (addresses.length === 0) throw new UsageError('--gateway: the pairing names no address');
    if (pairing.mode === Mode.Ticket && values.state === undefined) {
      throw new UsageError('--state: a device of mode ticket must keep its chain in a folder');
    }
    const streams = wholeNumber('--streams', values.streams, 1, 128);
    const options: ConnectOptions = {
      pairing,
      addresses,
      engine: selectEngine(),
      ...(values.state !== undefined && { storage: new FileStorage(values.state) }),
      ...(streams !== undefined && { streams }),
    };
    const events = await EventLog.open(values.events);
    try {
      return await serve(options, forwards, events, io);
    } finally {
      await events.close();
    }
  },
});
