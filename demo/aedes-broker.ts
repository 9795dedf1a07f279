/** The MQTT broker where mosquitto is not installed.   aedes-broker.ts PORT */

import { createServer } from 'node:net';
import { Aedes } from 'aedes';

const broker = await Aedes.createBroker();
createServer((socket) => broker.handle(socket)).listen(Number(process.argv[2]), '127.0.0.1');
process.on('disconnect', () => process.exit());
