import * as hawser from 'hawser';
import { tunnel } from './tunnel.mjs';

const names = Object.keys(hawser).filter((name) => name !== 'module.exports');
console.log(JSON.stringify({ engine: await tunnel(), names: names.sort() }));
