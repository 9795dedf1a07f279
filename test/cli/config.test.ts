/** gateway.toml: what is written, what is read, what is refused and how. */

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  configTemplate,
  createIdentityFiles,
  parseConfig,
  parseDuration,
  readConfig,
  readIdentity,
} from '../../lib/config.js';
import { OPTIONS } from '../../lib/config/options.js';
import type { Engine } from '../../lib/engine.js';
import { engineNamed } from '../suite/engines.js';
import { folder, removeFolders } from './harness.js';

const ID = Buffer.from('0102030405060708', 'hex');
const template = configTemplate(ID);
const refused = (message: RegExp) => ({ code: 'ERR_HAWSER_CONFIG', message });
const parsed = (text: string): ReturnType<typeof parseConfig> => parseConfig(text, '/etc/hawser/gateway.toml');

describe('gateway.toml', () => {
  after(removeFolders);

  it('has every option as a comment with its real default', () => {
    for (const [table, options] of Object.entries(OPTIONS)) {
      assert.ok(template.includes(`[${table}]\n`));
      for (const [key, { value }] of Object.entries(options))
        assert.ok(template.includes(`\n# ${key} = ${JSON.stringify(value)}\n`), key);
    }
    const bare = parsed(template);
    const told = parsed(template.replace(/^# (?!mqtt|http)(\w+ = )/gm, '$1'));
    assert.deepEqual(told, bare);
    assert.deepEqual({ ...bare.upstreams }, {});
    assert.deepEqual(Buffer.from(bare.id), ID);
    assert.equal(bare.limits.handshake, 10_000);
    assert.equal(bare.files.store, '/etc/hawser/store');
  });

  it('takes what is written into it', () => {
    const config = parsed(
      `id = "0102030405060708"\n[listen]\nport = 7\n[upstreams]\nmqtt = "tcp://[::1]:1883"\nu-1 = "udp://a.b:5"\ns = "unix:/run/x"\n[limits]\nlinger = "2h"\n`,
    );
    assert.equal(config.listen.port, 7);
    assert.equal(config.limits.linger, 7_200_000);
    assert.deepEqual({ ...config.upstreams }, { mqtt: 'tcp://[::1]:1883', 'u-1': 'udp://a.b:5', s: 'unix:/run/x' });
  });

  const id = 'id = "0102030405060708"\n';
  const cases: [string, RegExp][] = [
    ['', /gateway\.toml: id: missing/],
    ['id = "12"\n', /gateway\.toml:1: id: not a string of 8\.\.64 hex digits/],
    [`${id}[listen\n`, /gateway\.toml:2: /],
    [`${id}[listen]\n\nprot = 1\n`, /gateway\.toml:4: listen\.prot: unknown key; did you mean "port"\?/],
    [`${id}[lisen]\n`, /gateway\.toml:2: lisen: unknown key or table; did you mean "listen"\?/],
    [`${id}listen = 5\n`, /gateway\.toml:2: listen: not a table/],
    [`${id}[listen]\nport = 70000\n`, /gateway\.toml:3: listen\.port: 70000 is not a whole number of 1\.\.65535/],
    [`${id}[listen]\nport = "7"\n`, /gateway\.toml:3: listen\.port: "7" is not a whole number/],
    [
      `${id}[limits]\nlinger = "10 minutes"\n`,
      /gateway\.toml:3: limits\.linger: "10 minutes" is not a duration of 1s\.\.7d/,
    ],
    [`${id}[limits]\nlinger = "8d"\n`, /not a duration of 1s\.\.7d/],
    [`${id}[gateway]\nearly_data = 1\n`, /gateway\.toml:3: gateway\.early_data: 1 is not true or false/],
    [`${id}[gateway]\nengine = "rust"\n`, /not one of auto, native, js/],
    [`${id}[pairing]\naddresses = ["a:1", "b"]\n`, /gateway\.toml:3: pairing\.addresses: \[1\] .* is not host:port/],
    [`${id}[upstreams]\nmqtt = "mqtt://a:1"\n`, /gateway\.toml:3: upstreams\.mqtt: "mqtt:\/\/a:1": not tcp:/],
    [`${id}[upstreams]\nmqtt = "tcp://a"\n`, /a is not host:port/],
    [`${id}[upstreams]\nmqtt = "unix:x"\n`, /must be absolute/],
    [`${id}[upstreams]\nMQTT = "tcp://a:1"\n`, /gateway\.toml:3: upstreams\.MQTT: not a name of 1\.\.32/],
    [`${id}upstreams.a = 5\n`, /gateway\.toml:2: upstreams\.a: 5: not a string/],
    [`${id}limits = { linger = "1y" }\n`, /gateway\.toml:2: limits\.linger: "1y" is not a duration/],
  ];
  for (const [text, message] of cases) {
    it(`refuses with ${message.source}`, () => {
      assert.throws(() => parsed(text), refused(message));
    });
  }

  it('says so when there is none', async () => {
    await assert.rejects(
      readConfig('/nowhere/gateway.toml'),
      refused(/^\/nowhere\/gateway\.toml: no such file; `hawser init` writes one$/),
    );
  });

  it('durations', () => {
    const wanted = {
      '0s': 0,
      '250ms': 250,
      '90s': 90_000,
      '5m': 300_000,
      '12h': 43_200_000,
      '1d': 86_400_000,
      '1y': 31_557_600_000,
    };
    for (const [text, ms] of Object.entries(wanted)) assert.equal(parseDuration(text), ms);
    for (const text of ['', '5', 's', '-1s', '1.5s', '1 s', '1S', '9999999999s'])
      assert.equal(parseDuration(text), undefined, text);
  });
});

describe('key files of the gateway', () => {
  let engine: Engine;
  before(async () => {
    engine = await engineNamed('js');
  });
  after(removeFolders);

  const files = async (): Promise<{
    keys: string;
    sealing_key: string;
    config: Parameters<typeof readIdentity>[0];
  }> => {
    const path = folder();
    const config = parseConfig(template, join(path, 'gateway.toml'));
    await createIdentityFiles(config.files, engine);
    return { ...config.files, config };
  };

  it('are for their owner alone and read back as keys that work', async () => {
    const { keys, sealing_key, config } = await files();
    for (const file of [keys, sealing_key]) assert.equal(statSync(file).mode & 0o777, 0o600);
    const identity = await readIdentity(config, engine);
    assert.deepEqual(Buffer.from(identity.id), ID);
    assert.equal(identity.x25519.public.length, 32);
    assert.equal(identity.p256.public.length, 65);
    assert.equal(identity.sealingKey.length, 32);
    assert.ok(readFileSync(keys, 'utf8').includes(Buffer.from(identity.x25519.secret).toString('hex')));
  });

  it('are never replaced', async () => {
    const { keys, config } = await files();
    const before = readFileSync(keys);
    await assert.rejects(createIdentityFiles(config.files, engine), refused(/gateway\.key: exists already/));
    assert.deepEqual(readFileSync(keys), before);
  });

  it('are refused while others may read them', async () => {
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      const { keys, sealing_key, config } = await files();
      for (const file of [keys, sealing_key]) {
        chmodSync(file, mode);
        await assert.rejects(
          readIdentity(config, engine),
          refused(new RegExp(`mode 0${mode.toString(8)} lets others at a secret; chmod 600`)),
        );
        chmodSync(file, 0o600);
      }
    }
  });

  const damage: [string, (file: string) => string, 'keys' | 'sealing_key', RegExp][] = [
    ['no key file', () => 'no toml at [all', 'keys', /gateway\.key: not a key file/],
    ['an unknown key', (text) => `${text}rsa = "1"\n`, 'keys', /gateway\.key: rsa: unknown key/],
    ['a missing key', (text) => text.replace(/^p256.*$/m, ''), 'keys', /gateway\.key: p256: not 64 hex digits/],
    [
      'a short key',
      (text) => text.replace(/^(x25519 = ").{10}/m, '$1'),
      'keys',
      /gateway\.key: x25519: not 64 hex digits/,
    ],
    [
      'a zero key',
      (text) => text.replace(/^(x25519 = ").{64}/m, `$1${'00'.repeat(32)}`),
      'keys',
      /x25519: all bytes are zero/,
    ],
    [
      'a P-256 key beyond the order',
      (text) => text.replace(/^(p256 = ").{64}/m, `$1${'ff'.repeat(32)}`),
      'keys',
      /p256: not below the order/,
    ],
    ['a zero sealing key', () => '00'.repeat(32), 'sealing_key', /sealing\.key: sealing key: all bytes are zero/],
    ['no sealing key', () => '', 'sealing_key', /sealing key: not 64 hex digits/],
    ['a huge file', () => 'x'.repeat(70_000), 'sealing_key', /70000 bytes is too long/],
  ];
  for (const [what, change, which, message] of damage) {
    it(`refuse ${what}, and quote no secret`, async () => {
      const made = await files();
      const file = made[which];
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, change(text));
      await assert.rejects(readIdentity(made.config, engine), (error: Error & { code: string }) => {
        assert.equal(error.code, 'ERR_HAWSER_CONFIG');
        assert.match(error.message, message);
        for (const secret of text.match(/[0-9a-f]{64}/g)!) assert.ok(!error.message.includes(secret.slice(10, 30)));
        return true;
      });
    });
  }

  it('say which is missing', async () => {
    const config = parseConfig(template, join(folder(), 'gateway.toml'));
    await assert.rejects(readIdentity(config, engine), refused(/gateway\.key: no such file/));
  });
});
