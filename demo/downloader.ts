/**
 * An unmodified HTTP client that downloads a file and goes on by Range where a transfer broke off.   downloader.ts PORT
 * It knows nothing of the tunnel: PORT is a local one.
 */

import { createHash } from 'node:crypto';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export type DownloadReport =
  | { type: 'progress'; bytes: number }
  | { type: 'request'; from: number }
  | { type: 'broken'; at: number; reason: string }
  | { type: 'done'; bytes: number; sha256: string };

const port = Number(process.argv[2]);
const STALL_MS = 60_000;
const RETRY_MS = 300;
const report = (message: DownloadReport): void => void process.send!(message);

function request(from: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = from > 0 ? { range: `bytes=${from}-` } : {};
    const outgoing = get({ host: '127.0.0.1', port, path: '/file', agent: false, headers, timeout: STALL_MS }, resolve);
    outgoing.on('timeout', () => outgoing.destroy(new Error('nothing came for a minute')));
    outgoing.on('error', reject);
  });
}

/** The whole length of the file; throws if the answer is not what was asked for. */
function lengthOf(response: IncomingMessage, from: number): number {
  if (from === 0 && response.statusCode === 200) return Number(response.headers['content-length']);
  const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '');
  if (response.statusCode !== 206 || Number(match?.[1]) !== from)
    throw new Error(`answer ${response.statusCode} for a range from ${from}`);
  return Number(match![2]);
}

async function download(): Promise<void> {
  const hash = createHash('sha256');
  let [have, length, told] = [0, Infinity, 0];
  while (have < length) {
    try {
      report({ type: 'request', from: have });
      const response = await request(have);
      length = lengthOf(response, have);
      for await (const chunk of response as AsyncIterable<Buffer>) {
        hash.update(chunk);
        have += chunk.length;
        if (have - told > 256 * 1024) report({ type: 'progress', bytes: (told = have) });
      }
      if (have < length) throw new Error('ended early');
    } catch (error) {
      report({ type: 'broken', at: have, reason: (error as Error).message });
      await sleep(RETRY_MS);
    }
  }
  report({ type: 'done', bytes: have, sha256: hash.digest('hex') });
}

process.on('message', () => void download());
process.on('disconnect', () => process.exit());
