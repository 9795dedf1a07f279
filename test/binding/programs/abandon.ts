/**
 * Leaves its environment with sessions in every state of a handshake, none of them wiped. As a worker it says 'ready'
 * and waits to be terminated; as a process it ends as its second argument says.
 */

import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { createNativeEngine, liveObjects } from '../../../lib/engine/native.js';
import type { Port } from '../../../lib/engine/native/addon.js';
import { Link } from '../link.js';

interface Task {
  port: Port;
  end: string;
  links: number;
}

const task = isMainThread
  ? { port: process.argv[2] as Port, end: process.argv[3] ?? '', links: 50 }
  : (workerData as Task);
const engine = createNativeEngine(task.port);
const links: Link[] = [];
for (let at = 0; at < task.links; at++) {
  const link = new Link(engine);
  if (at % 4 === 1) link.first();
  if (at % 4 === 2) link.answer(link.first());
  if (at % 4 === 3) link.connect().open();
  links.push(link);
}
if (liveObjects(task.port) < 2 * task.links) throw new Error('objects are missing');

function leave(end: string): void {
  if (end === 'exit') process.exit(7);
  if (end === 'throw') throw new Error('left by an exception');
  if (end === 'reject') void Promise.reject(new Error('left by a rejection'));
  if (end === 'in exit handler') process.on('exit', () => links[1]?.device.send(links[1].now));
}

if (isMainThread) leave(task.end);
else if (task.end === 'terminate') {
  parentPort?.postMessage('ready');
  parentPort?.on('message', () => links.forEach((link) => link.device.send(link.now)));
} else {
  parentPort?.postMessage('ready');
  leave(task.end);
}
