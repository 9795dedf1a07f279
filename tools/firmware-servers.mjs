// The other ends of the measured TLS and DTLS clients: `openssl s_server` behind a relay, and a DTLS server of mbedTLS for the host.
// An emulated board's line carries frames to and from them: firmware/measure/tls-cost/frames.h.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

const MBEDTLS = 'build/mbedtls';
const IDENTITY = 'device-1';
const psk = ['-psk', `01${'00'.repeat(31)}`, '-psk_identity', IDENTITY];
const serverArgs = ['s_server', '-accept', '127.0.0.1:0', '-nocert', ...psk, '-tls1_3', '-allow_no_dhe_kex'];

/**
 * Until `use` is done with the address of a board's line: a TLS 1.3 server without a certificate. It sends a ticket on each
 * connection, and 64 bytes on each but the first. It is an error if one of those was no resumption.
 */
export async function withTlsServer(use) {
  const server = spawn('openssl', [...serverArgs, '-num_tickets', '1'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const connections = [];
  try {
    const [, host, port] = /(.*):(.*)/.exec(await addressOf(server));
    const begin = () => {
      connections.push([]);
      return connect({ host, port });
    };
    const payload = () => server.stdin.write(`${'x'.repeat(63)}\n`);
    const result = await withLine((line) => relay(line, { begin, payload, connections }), use);
    checkResumed(connections.map((pieces) => Buffer.concat(pieces)));
    return result;
  } finally {
    server.kill();
  }
}

/** A connection of the server's for each of the device's, until the emulator has ended. */
async function relay(line, { begin, payload, connections }) {
  let failure;
  let upstream;
  const start = () => {
    upstream = begin();
    upstream.on('data', (bytes) => line.write(frame(bytes)));
    upstream.on('error', (error) => {
      failure = error;
      line.destroy();
    });
  };
  start();
  try {
    for await (const bytes of framesOf(line)) {
      if (bytes.length > 0) {
        connections.at(-1).push(bytes);
        upstream.write(bytes);
        continue;
      }
      upstream.removeAllListeners('data').resume().end();
      await once(upstream, 'close'); // then it reads nothing any more that is for the next
      start();
      payload();
      line.write(frame(bytes));
    }
  } catch {
    // the line is gone, as it is at the end
  }
  upstream.destroy();
  if (failure) throw failure;
}

/** Of what the client has sent on each connection. The server has no certificate: one that does not name the PSK has a ticket. */
export function checkResumed(connections) {
  const [first, ...others] = connections.map((bytes) => bytes.includes(IDENTITY));
  if (!first) throw new Error('the first connection began without the PSK');
  if (others.length === 0 || others.includes(true))
    throw new Error('no connection has resumed, or not by its ticket alone');
}

/** Where it listens: it says so, and ends if it cannot. What it says later is read, and dropped. */
function addressOf(server) {
  let said = '';
  return new Promise((resolve, reject) => {
    server.stdout.on('data', (piece) => {
      said += piece;
      const [, address] = /^ACCEPT (\S+)$/m.exec(said) ?? [];
      if (address) resolve(address);
    });
    server.on('error', reject);
    server.on('exit', () => reject(new Error(`openssl s_server has ended: ${said}`)));
  });
}

/** The same, a DTLS 1.2 server of mbedTLS, with connection ids. */
export async function withDtlsServer(use) {
  const server = spawn(buildDtlsServer(), { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('exit', resolve);
  });
  let said = '';
  server.stderr.on('data', (piece) => (said += piece));
  server.stdin.on('error', () => {}); // it has ended, which is seen below
  try {
    const result = await withLine((line) => {
      line.pipe(server.stdin, { end: false });
      line.on('close', () => server.stdin.end());
      server.stdout.pipe(line);
    }, use);
    const code = await ended;
    if (code !== 0) throw new Error(`the DTLS server has ended with ${code}: ${said}`);
    return result;
  } finally {
    server.kill();
  }
}

/** Its library's crypto is there already: tools/fetch-mbedtls.sh. */
function buildDtlsServer() {
  const own = 'firmware/measure/dtls-server';
  const out = 'build/firmware/dtls-server';
  const tls = readdirSync(`${MBEDTLS}/library`).filter((name) => /^ssl_\w+\.c$/.test(name));
  const theirs = [...tls.map((name) => join(MBEDTLS, 'library', name)), join(MBEDTLS, 'lib/libmbedcrypto.a')];
  const [server, main] = [join(out, 'server'), join(out, 'main.o')];
  const made = existsSync(server) ? statSync(server).mtimeMs : 0;
  const inputs = [...theirs, join(own, 'main.c'), join(own, 'config.h'), 'csrc/ports/psa/mbedtls_config_host.h'];
  if (inputs.every((file) => statSync(file).mtimeMs < made)) return server;
  mkdirSync(out, { recursive: true });
  const folders = ['csrc/ports/psa', 'firmware', `${MBEDTLS}/include`, `${MBEDTLS}/library`];
  const config = '-DMBEDTLS_CONFIG_FILE="measure/dtls-server/config.h"';
  const flags = ['-O1', '-pthread', config, ...folders.map((folder) => `-I${folder}`)];
  execFileSync('cc', [...flags, '-Wall', '-Wextra', '-Werror', '-c', join(own, 'main.c'), '-o', main]);
  execFileSync('cc', [...flags, '-w', main, ...theirs, '-o', server]);
  return server;
}

// ---- Lines ------------------------------------------------------------------------------------------------------------

/** Calls use(ADDRESS) and serve(LINE) with the connection that comes there. */
async function withLine(serve, use) {
  const listener = createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const failed = new Promise((_, reject) => {
    listener.on('connection', (line) => {
      line.on('error', () => line.destroy()); // the emulator is gone
      Promise.resolve(serve(line)).catch(reject);
    });
  });
  try {
    return await Promise.race([use(`127.0.0.1:${listener.address().port}`), failed]);
  } finally {
    listener.close();
  }
}

export function frame(bytes) {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(bytes.length);
  return Buffer.concat([head, bytes]);
}

export async function* framesOf(pieces) {
  let held = Buffer.alloc(0);
  for await (const piece of pieces) {
    held = Buffer.concat([held, piece]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE()) {
      const end = 2 + held.readUInt16BE();
      yield held.subarray(2, end);
      held = held.subarray(end);
    }
  }
}
