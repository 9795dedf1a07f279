/** Every port of the core against Wycheproof and the RFCs' own vectors. */

import assert from 'node:assert/strict';
import { Suite } from '../../lib/engine.js';
import { concat, flipped, hex, pattern, unhex } from '../suite/bytes.js';
import { VECTORS_TIMEOUT_MS } from './lines.js';
import { blocks, vectorText, wycheproof, type WycheproofRow } from './files.js';
import { cryptoPorts, PortRefused, type CryptoPort } from './port.js';

const bytes = (row: Record<string, unknown>, field: string): Uint8Array => unhex(String(row[field]));

/** A big-endian number of any written length as 32 bytes. */
function scalar(text: string): Uint8Array {
  return unhex(text.replace(/^(00)+/, '').padStart(64, '0'));
}

/** RFC 5869 on top of the port's HMAC, as Noise's HKDF is. */
async function hkdf(port: CryptoPort, salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Promise<Uint8Array> {
  const prk = await port.hmac(salt.length === 0 ? new Uint8Array(32) : salt, ikm);
  let block = new Uint8Array(0);
  let out = new Uint8Array(0);
  for (let counter = 1; out.length < length; counter++) {
    block = Uint8Array.from(await port.hmac(prk, concat(block, info, Uint8Array.of(counter))));
    out = concat(out, block) as Uint8Array<ArrayBuffer>;
  }
  return out.slice(0, length);
}

async function refused(run: Promise<unknown>, what: string): Promise<void> {
  await assert.rejects(run, (error) => error instanceof PortRefused, what);
}

async function gcmRow(port: CryptoPort, row: WycheproofRow): Promise<void> {
  const [key, iv, aad, message] = ['key', 'iv', 'aad', 'msg'].map((field) => bytes(row, field)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const sealed = concat(bytes(row, 'ct'), bytes(row, 'tag'));
  if (row.result === 'invalid') return refused(port.open(key, iv, aad, sealed), `row ${row.tcId}`);
  assert.equal(hex(await port.seal(key, iv, aad, message)), hex(sealed), `row ${row.tcId}`);
  assert.equal(hex(await port.open(key, iv, aad, sealed)), hex(message), `row ${row.tcId}`);
  await refused(port.open(key, iv, aad, flipped(sealed, row.tcId % (8 * sealed.length))), `row ${row.tcId}, one bit flipped`);
  await refused(port.open(key, flipped(iv, row.tcId % 96), aad, sealed), `row ${row.tcId}, nonce flipped`);
}

async function dhRow(port: CryptoPort, suite: Suite, row: WycheproofRow, secret: Uint8Array): Promise<boolean> {
  const peer = bytes(row, 'public');
  const zero = suite === Suite.X25519 && /^0+$/.test(String(row.shared));
  if (row.result === 'invalid' || zero) {
    await refused(port.dh(suite, secret, peer), `row ${row.tcId}`);
    await refused(port.dhKey(suite, secret, peer), `row ${row.tcId}, by handle`);
    return false;
  }
  assert.equal(hex(await port.dh(suite, secret, peer)), String(row.shared), `row ${row.tcId}`);
  assert.equal(hex(await port.dhKey(suite, secret, peer)), String(row.shared), `row ${row.tcId}, by handle`);
  return true;
}

function cases(port: () => CryptoPort): void {
  it('AES-256-GCM, 96-bit nonces, 128-bit tags: Wycheproof, and no plaintext after a bad tag', async () => {
    const rows = wycheproof('aes_gcm')?.filter(({ group }) => group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128);
    if (rows === undefined) return;
    assert.equal(rows.length, 66);
    for (const row of rows) await gcmRow(port(), row);
  });

  it('HMAC-SHA-256 with keys of 1 to 64 bytes: Wycheproof', async () => {
    const rows = wycheproof('hmac_sha256')?.filter((row) => bytes(row, 'key').length <= 64);
    if (rows === undefined) return;
    assert.equal(rows.length, 168);
    for (const row of rows) {
      const tag = hex(await port().hmac(bytes(row, 'key'), bytes(row, 'msg')));
      const wanted = String(row.tag);
      assert.equal(tag.startsWith(wanted), row.result === 'valid', `row ${row.tcId}`);
    }
  });

  it('HKDF-SHA-256 on the port\'s HMAC: Wycheproof (salts up to 64 bytes) and RFC 5869', async () => {
    const rows = wycheproof('hkdf_sha256')?.filter((row) => bytes(row, 'salt').length <= 64 && row.result === 'valid');
    for (const row of rows ?? []) {
      const okm = await hkdf(port(), bytes(row, 'salt'), bytes(row, 'ikm'), bytes(row, 'info'), Number(row.size));
      assert.equal(hex(okm), row.okm, `row ${row.tcId}`);
    }
    const texts = vectorText('rfc-5869-HKDF-SHA256.txt');
    const rfc = texts === undefined ? [] : blocks(texts).filter((block) => unhex(block.salt ?? '').length <= 64);
    for (const block of rfc) {
      const okm = await hkdf(port(), unhex(block.salt ?? ''), unhex(block.IKM ?? ''), unhex(block.info ?? ''), Number(block.L));
      assert.equal(hex(okm), block.OKM, `RFC 5869 case ${block.COUNT}`);
    }
    if (rows && texts) assert.deepEqual([rows.length, rfc.length], [81, 2]);
  });

  it('long-term secrets by handle: the same HMAC, and the HKDF that the HMAC makes; zero is refused', async () => {
    for (let seed = 1; seed < 20; seed++) {
      const [key, salt, message] = [pattern(32, seed), pattern(32, seed + 50), pattern(seed * 9, seed)];
      assert.equal(hex(await port().hmacKey(key, message)), hex(await port().hmac(key, message)));
      const okm = await hkdf(port(), salt, key, new Uint8Array(0), 96);
      assert.equal(hex(await port().hkdfKey(salt, key)), hex(okm));
    }
    const zero = new Uint8Array(32);
    await refused(port().hmacKey(zero, zero), 'HMAC under zero');
    await refused(port().hkdfKey(pattern(32), zero), 'HKDF over zero');
  });

  it('X25519: Wycheproof and RFC 7748; all 31 all-zero results are refused (SPEC 2/1)', async () => {
    const rows = wycheproof('x25519');
    let agreed = 0;
    for (const row of rows ?? []) agreed += Number(await dhRow(port(), Suite.X25519, row, bytes(row, 'private')));
    if (rows) assert.deepEqual([agreed, rows.length - agreed], [487, 31]);
    for (const block of blocks(vectorText('rfc7748-x25519.txt') ?? '')) {
      const shared = await port().dh(Suite.X25519, unhex(block.INPUT_SCALAR ?? ''), unhex(block.INPUT_U ?? ''));
      assert.equal(hex(shared), block.OUTPUT_U, `RFC 7748 case ${block.COUNT}`);
    }
  });

  it('P-256 with uncompressed points: Wycheproof; every invalid point is refused (SPEC 2/2)', async () => {
    const rows = wycheproof('ecdh_secp256r1_ecpoint')?.filter((row) => bytes(row, 'public').length === 65);
    if (rows === undefined) return;
    let agreed = 0;
    for (const row of rows) agreed += Number(await dhRow(port(), Suite.P256, row, scalar(String(row.private))));
    assert.deepEqual([agreed, rows.length - agreed], [330, 16]);
  });

  it('P-256 forms other than 0x04, x, y are refused, and so are private keys out of range', async () => {
    const secret = scalar('1234');
    const point = await port().publicKey(Suite.P256, secret);
    assert.equal(hex(await port().publicKey(Suite.P256, scalar('01'))).slice(0, 18), '046b17d1f2e12c4247');
    for (let first = 0; first < 256; first++) {
      const form = Uint8Array.from(point);
      form[0] = first;
      if (first !== 4) await refused(port().dh(Suite.P256, secret, form), `first byte ${first}`);
    }
    await refused(port().dh(Suite.P256, secret, Uint8Array.of(4, ...new Uint8Array(64))), 'the point (0, 0)');
    await refused(port().dh(Suite.P256, secret, flipped(point, 300)), 'a point off the curve');
    const order = unhex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
    for (const bad of [new Uint8Array(32), order, new Uint8Array(32).fill(255)])
      await refused(port().publicKey(Suite.P256, bad), `private key ${hex(bad)}`);
  });
}

for (const { name, open } of cryptoPorts)
  describe(`crypto port [${name}]`, function () {
    this.timeout(VECTORS_TIMEOUT_MS);
    let port: CryptoPort | undefined;
    before(async () => {
      port = await open();
    });
    after(() => port?.close());
    cases(() => {
      if (port === undefined) throw new Error('the port is not open');
      return port;
    });
  });
