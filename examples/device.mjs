// A device in Node: sends its standard input to an upstream, prints what comes back.
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { connect, FileStorage, readPairing } from 'hawser';

const [file, upstream, port] = process.argv.slice(2);
const pairing = readPairing(await readFile(file));
const session = await connect({
  pairing,
  storage: new FileStorage(`${file}.state`), // where the chain survives a power cut
  host: '127.0.0.1',
  port: Number(port),
});
session.on('pause', () => console.error('link lost; connecting again')); // streams just wait
session.on('resume', ({ continued }) => console.error(continued ? 'resumed' : 'resumed, streams were lost'));

const stream = await session.open(upstream); // a Duplex
await Promise.all([pipeline(process.stdin, stream), pipeline(stream, process.stdout, { end: false })]);
await session.close();
