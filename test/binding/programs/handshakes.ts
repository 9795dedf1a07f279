/** Worker: workerData.count handshakes with a transfer each; then says how many worked. */

import { parentPort, workerData } from 'node:worker_threads';
import { createNativeEngine } from '../../../lib/engine/native.js';
import type { Port } from '../../../lib/engine/native/addon.js';
import { hex, pattern } from '../../suite/bytes.js';
import { fullVariants } from '../../suite/engines.js';
import { Link, must } from '../link.js';

const { port, count } = workerData as { port: Port; count: number };
const engine = createNativeEngine(port);
let done = 0;
for (let at = 0; at < count; at++) {
  const link = new Link(engine, {}, fullVariants[at % fullVariants.length]).connect();
  const stream = link.open();
  const data = pattern(2000, at);
  link.toGateway(Buffer.from(must(link.device.write(stream, data, true, link.now).out, 'records')));
  const received = link.gatewayEvents.flatMap((event) => (event.type === 'data' ? [event.data] : []));
  if (hex(Buffer.concat(received)) !== hex(data)) throw new Error(`handshake ${at}: other bytes arrived`);
  link.wipe();
  done++;
}
parentPort?.postMessage(done);
