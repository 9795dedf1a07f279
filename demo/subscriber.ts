/** Sits at the broker, without a tunnel, and tells every message that arrives.   subscriber.ts PORT */

import mqtt from 'mqtt';

export type SubscriberReport = { type: 'ready' } | { type: 'message'; device: string; n: number; dup: boolean };

const client = mqtt.connect({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  clientId: 'demo-subscriber',
  keepalive: 60,
});
client.on('connect', () => {
  client.subscribe('demo/#', { qos: 1 }, (error) => {
    if (error) throw error;
    process.send!({ type: 'ready' } satisfies SubscriberReport);
  });
});
client.on('message', (topic, payload, packet) => {
  const { n } = JSON.parse(payload.toString()) as { n: number };
  const report: SubscriberReport = { type: 'message', device: topic.slice('demo/'.length), n, dup: packet.dup };
  process.send!(report);
});
process.on('disconnect', () => process.exit());
