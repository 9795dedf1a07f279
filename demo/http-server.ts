/**
 * The HTTP upstream: serves one file, whole or by Range.   http-server.ts PORT FILE BYTES_PER_SECOND
 * Each answer is paced, so that there is time to tear it.
 */

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform, pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const [port, file, pace] = process.argv.slice(2);
const size = statSync(file!).size;

/** Undefined: no range; null: one that cannot be served. */
function rangeOf(header: string | undefined): [number, number] | undefined | null {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d+)-(\d*)$/.exec(header);
  const start = Number(match?.[1]);
  const end = match?.[2] ? Math.min(Number(match[2]), size - 1) : size - 1;
  return match && start <= end ? [start, end] : null;
}

/** Never ahead of the pace since its beginning. */
function paced(): Transform {
  const started = Date.now();
  let passed = 0;
  const wait = async (bytes: number): Promise<void> => {
    passed += bytes;
    const ahead = started + (passed / Number(pace)) * 1000 - Date.now();
    if (ahead > 1) await sleep(ahead);
  };
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => void wait(chunk.length).then(() => done(null, chunk)),
  });
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const range = rangeOf(request.headers.range);
  if (range === null) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    return;
  }
  const [start, end] = range ?? [0, size - 1];
  response.writeHead(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    ...(range && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  pipeline(createReadStream(file!, { start, end }), paced(), response, () => undefined); // a client that left is its own affair
}

createServer(serve).listen(Number(port), '127.0.0.1');
process.on('disconnect', () => process.exit());
