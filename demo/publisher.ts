/**
 * An unmodified MQTT client that publishes numbered QoS-1 messages.   publisher.ts NAME PORT
 * It knows nothing of the tunnel: PORT is a local one.
 */

import mqtt, { Store } from 'mqtt';
import type { Packet } from 'mqtt';

export interface PublishCommand {
  from: number;
  to: number;
  perSecond: number;
}
export type PublishReport =
  | { type: 'connect' }
  /** Some were just handed to the client. */
  | { type: 'burst' }
  | { type: 'redelivered'; n: number }
  | { type: 'acked'; n: number }
  | { type: 'failed'; n: number; reason: string };

const [name, port] = process.argv.slice(2);
const TOPIC = `demo/${name}`;
const PAD = 'x'.repeat(100);
const BURST_MS = 250;
const report = (message: PublishReport): void => void process.send!(message);

/**
 * What the client keeps until it is acknowledged, and sends again when it has connected anew. The standard asks for the DUP flag then
 * (MQTT 3.1.1, 3.3.1.1), which the client leaves to its store.
 */
class RedeliveryStore extends Store {
  override put(packet: Packet, stored: (error?: Error) => void): this {
    return super.put(packet.cmd === 'publish' ? { ...packet, dup: true } : packet, stored);
  }
}

const client = mqtt.connect({
  host: '127.0.0.1',
  port: Number(port),
  clientId: `demo-${name}`,
  clean: false,
  reconnectPeriod: 250,
  connectTimeout: 10_000,
  keepalive: 60,
  outgoingStore: new RedeliveryStore(),
});

client.on('connect', () => report({ type: 'connect' }));
client.on('error', () => undefined); // it connects again by itself
client.on('packetsend', (packet) => {
  if (packet.cmd !== 'publish' || !packet.dup) return;
  const { n } = JSON.parse(packet.payload.toString()) as { n: number };
  report({ type: 'redelivered', n });
});

function publish(n: number): void {
  client.publish(TOPIC, JSON.stringify({ n, pad: PAD }), { qos: 1 }, (error) =>
    report(error ? { type: 'failed', n, reason: error.message } : { type: 'acked', n }),
  );
}

/** In bursts, so that several messages are under way whenever something breaks. */
process.on('message', ({ from, to, perSecond }: PublishCommand) => {
  let next = from;
  const started = Date.now();
  const timer = setInterval(() => {
    const due = from + Math.floor(((Date.now() - started) / 1000) * perSecond);
    for (; next <= Math.min(due, to); next++) publish(next);
    report({ type: 'burst' });
    if (next > to) clearInterval(timer);
  }, BURST_MS);
});
process.on('disconnect', () => process.exit());
