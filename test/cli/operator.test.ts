/** init, pair, devices, revoke, inspect of pairings: what they do, say, refuse, and never say. */

import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPairing } from '../../lib/pairing.js';
import { secretFields } from '../../lib/pairing/terms.js';
import { cliWith, done, folder, gatewayFolder, mistake, Process, removeFolders } from './harness.js';
import type { Outcome } from './harness.js';

/** Every secret of a pairing file, in the forms in which it could leak. */
function secretsOf(file: string): string[] {
  const pairing = readPairing(readFileSync(file));
  return secretFields(pairing.mode)
    .filter((field) => field !== 'gatewayPublicKey')
    .flatMap((field) =>
      (['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(pairing[field]!).toString(form)),
    );
}

describe('hawser', () => {
  it('alone, with --help, and with what it does not know', async () => {
    const help = await done('--help');
    assert.match(help.out, /^usage: hawser COMMAND/);
    assert.deepEqual(await done(), help);
    for (const name of ['init', 'pair', 'revoke', 'devices', 'gateway', 'connect', 'inspect', 'status', 'restore']) {
      assert.match(help.out, new RegExp(`^  ${name} `, 'm'));
      const { out } = await done(name, '--help');
      assert.match(out, new RegExp(`^usage: hawser ${name} `));
    }
    await mistake(/unknown command "conect"; did you mean "connect"\?/, 'conect');
    await mistake(/unknown option --alow; did you mean "--allow"\?/, 'pair', 'x', '--alow', 'mqtt');
    await mistake(/argument missing|argument is missing/, 'pair');
    await mistake(/one argument too many: "b"/, 'revoke', 'a', 'b');
  });

  it('alone, where a gateway is configured: shows how things stand, and leaves nothing behind', async () => {
    const { path, config } = await gatewayFolder();
    const alone = (...more: string[]): Promise<Outcome> => cliWith({ HAWSER_CONFIG: config }, ...more);
    const fresh = await alone();
    assert.equal(fresh.status, 0, fresh.err);
    assert.match(
      fresh.out,
      /gateway +[0-9a-f]{16}, .*gateway\.toml\n.*port 7700\n +upstreams +mqtt, http\n.*not there yet/,
    );
    assert.ok(!existsSync(join(path, 'store')));
    for (const name of ['a', 'b', 'c'])
      await done('pair', name, '--allow', 'mqtt', '-o', join(path, name), '-c', config);
    await done('revoke', 'b', '-c', config);
    const shown = await alone();
    assert.match(shown.out, /incarnation +[0-9a-f]{16}\n +devices +2 valid, 1 revoked|devices +1 revoked, 2 valid/);
    assert.match(shown.out, /blocks ahead +2\n/);
    const asJson = JSON.parse((await alone('status', '--json')).out) as { version: number; store: object };
    assert.equal(asJson.version, 1);
    const incarnation = /incarnation +(\w+)/.exec(shown.out)![1];
    assert.deepEqual(asJson.store, {
      path: join(path, 'store'),
      incarnation,
      devices: { valid: 2, revoked: 1 },
      restored: { devices: 0, ahead: 2 },
    });
    const lost = await cliWith({ HAWSER_CONFIG: join(path, 'nothing.toml') });
    assert.equal(lost.status, 2);
    assert.match(lost.err, /nothing\.toml: no such file/);
  });

  it('as a process: a mistake is one line and status 2, without a stack', async function () {
    this.timeout(20_000);
    const process = new Process('devices', '-c', '/nowhere/gateway.toml');
    assert.equal(await process.ended(), 2);
    assert.equal(process.out, '');
    assert.equal(process.err, 'hawser: /nowhere/gateway.toml: no such file; `hawser init` writes one\n');
  });
});

describe('hawser init', () => {
  after(removeFolders);

  it('writes a configuration and keys that only the owner may read', async () => {
    const path = join(folder(), 'new', 'place');
    const { out } = await done('init', path);
    assert.equal(out, `${join(path, 'gateway.toml')}\n`);
    assert.equal(statSync(join(path, 'gateway.key')).mode & 0o777, 0o600);
    assert.equal(statSync(join(path, 'sealing.key')).mode & 0o777, 0o600);
    const listed = await done('devices', '-c', join(path, 'gateway.toml'), '--json');
    assert.deepEqual(JSON.parse(listed.out), { version: 1, devices: [] });
  });

  it('leaves everything alone where something is', async () => {
    const { path, config } = await gatewayFolder();
    const before = ['gateway.toml', 'gateway.key', 'sealing.key'].map((name) => readFileSync(join(path, name)));
    await mistake(/gateway\.toml: exists already/, 'init', path);
    assert.deepEqual(
      ['gateway.toml', 'gateway.key', 'sealing.key'].map((name) => readFileSync(join(path, name))),
      before,
    );
    const other = folder();
    writeFileSync(join(other, 'gateway.key'), 'mine');
    await mistake(/gateway\.key: exists already/, 'init', other);
    assert.equal(readFileSync(join(other, 'gateway.key'), 'utf8'), 'mine');
    assert.ok(!existsSync(join(other, 'gateway.toml')));
    assert.ok(existsSync(config));
  });
});

describe('hawser pair, devices, revoke, inspect', () => {
  after(removeFolders);

  const MODES: [string[], string, string][] = [
    [['--mode', 'keys'], 'keys', '25519'],
    [['--mode', 'keys', '--suite', 'p256'], 'keys', 'p256'],
    [['--with-psk'], 'keys+psk', '25519'],
    [['--mode', 'psk'], 'psk', '25519'],
    [['--mode', 'ticket'], 'ticket', 'none'],
  ];
  for (const [args, mode, suite] of MODES) {
    it(`makes a pairing ${mode} ${suite}, shows no secret, and both ends show one fingerprint`, async () => {
      const { path, config } = await gatewayFolder();
      const file = join(path, 'pump.json');
      const made = await done(
        'pair',
        'pump',
        '--allow',
        'mqtt,http',
        ...args,
        '--address',
        'gw.example:7700',
        '-o',
        file,
        '-c',
        config,
        '--json',
      );
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const pair = JSON.parse(made.out) as { version: number; fingerprint: string; device: string };
      assert.equal(pair.version, 1);
      const shown = await done('inspect', file);
      const asJson = await done('inspect', file, '--json');
      const listed = await done('devices', '-c', config);
      const listedJson = await done('devices', 'pump', '-c', config, '--json');
      const inspected = (JSON.parse(asJson.out) as { reports: Record<string, unknown>[] }).reports[0]!;
      const device = (JSON.parse(listedJson.out) as { devices: Record<string, unknown>[] }).devices[0]!;
      for (const [what, value] of Object.entries({ mode, suite, fingerprint: pair.fingerprint, device: pair.device })) {
        assert.equal(inspected[what], value);
        assert.equal(device[what], value);
      }
      assert.deepEqual(inspected['addresses'], ['gw.example:7700']);
      assert.deepEqual(device['upstreams'], ['mqtt', 'http']);
      for (const text of [made, shown, asJson, listed, listedJson].map(({ out, err }) => out + err)) {
        for (const secret of secretsOf(file)) assert.ok(!text.includes(secret));
      }
      const open = await done('inspect', file, '--show-secrets');
      assert.ok(open.out.includes(secretsOf(file)[0]!));
    });
  }

  it('writes the binary form, and stdout only with --show-secrets', async () => {
    const { path, config } = await gatewayFolder();
    const file = join(path, 'd.bin');
    await done('pair', 'd', '--allow', 'mqtt', '--mode', 'psk', '--format', 'bin', '-o', file, '-c', config);
    assert.equal(readFileSync(file, 'latin1').slice(0, 4), 'HWPR');
    const { out } = await done('inspect', file, '--json');
    assert.equal((JSON.parse(out) as { reports: { form: string }[] }).reports[0]!.form, 'binary');
    await mistake(/prints secrets; add --show-secrets/, 'pair', 'e', '--allow', 'mqtt', '-o', '-', '-c', config);
    const open = await done('pair', 'e', '--allow', 'mqtt', '-o', '-', '--show-secrets', '-c', config);
    assert.equal(readPairing(Buffer.from(open.out)).upstreams![0], 'mqtt');
  });

  it('writes the binary form as a C array, for its owner alone, never over another file', async () => {
    const { path, config } = await gatewayFolder();
    const file = join(path, 'pump.h');
    const pair = ['pair', 'Pumpe Süd', '--allow', 'mqtt', '--format', 'c', '-o', file, '-c', config];
    const { out, err } = await done(...pair, '--json');
    const { device, fingerprint } = JSON.parse(out) as { device: string; fingerprint: string };
    const text = readFileSync(file, 'utf8');
    assert.match(text, /Pumpe Süd/);
    assert.ok(text.includes(` ${device}\n`) && text.includes(` ${fingerprint}\n`));
    const [, length, array] = /hawser_pairing_form\[(\d+)\] = \{([^}]*)\}/.exec(text)!;
    const bytes = Buffer.from([...array!.matchAll(/0x([0-9a-f]{2}),/g)].map(([, byte]) => parseInt(byte!, 16)));
    assert.equal(bytes.length, Number(length));
    const { privateKey, id } = readPairing(bytes);
    assert.equal(Buffer.from(id).toString('hex'), device);
    assert.ok(!(out + err).includes(Buffer.from(privateKey!).toString('hex')));
    assert.equal(statSync(file).mode & 0o777, 0o600);

    await mistake(/exists already/, ...pair, '--replace');
    assert.equal(readFileSync(file, 'utf8'), text);
  });

  it('names its file after the device and the format', async () => {
    const { path, config } = await gatewayFolder();
    const here = process.cwd();
    process.chdir(path);
    try {
      for (const [format, suffix] of Object.entries({ json: 'json', bin: 'bin', c: 'h' })) {
        const { out } = await done('pair', format, '--allow', 'mqtt', '--format', format, '-c', config);
        assert.equal(out, `${format}.pairing.${suffix}\n`);
        assert.equal(statSync(join(path, out.trim())).mode & 0o777, 0o600);
      }
    } finally {
      process.chdir(here);
    }
    await mistake(
      /--format: "cc" is not one of json, bin, c/,
      'pair',
      'x',
      '--allow',
      'mqtt',
      '--format',
      'cc',
      '-c',
      config,
    );
  });

  it('inspects the binary form of a ticket pairing, its secret only with --show-secrets', async () => {
    const { path, config } = await gatewayFolder();
    const file = join(path, 't.bin');
    await done('pair', 't', '--allow', 'mqtt', '--mode', 'ticket', '--format', 'bin', '-o', file, '-c', config);
    const secret = Buffer.from(readPairing(readFileSync(file)).ticket!).toString('hex');
    const shown = await done('inspect', file);
    assert.match(shown.out, /mode +ticket\n[^]*ticket +\(hidden; --show-secrets\)/);
    const asJson = await done('inspect', file, '--json');
    for (const { out, err } of [shown, asJson])
      for (const hidden of secretsOf(file)) assert.ok(!(out + err).includes(hidden));
    const open = await done('inspect', file, '--json', '--show-secrets');
    const [report] = (JSON.parse(open.out) as { reports: { mode: string; secrets: object }[] }).reports;
    assert.deepEqual([report!.mode, report!.secrets], ['ticket', { ticket: secret }]);
  });

  it('takes validity, id, limits', async () => {
    const { path, config } = await gatewayFolder();
    const file = join(path, 'd.json');
    const args = [
      '--id',
      '0a0b0c0d',
      '--expires',
      '2099-03-01',
      '--not-before',
      '1d',
      '--record-max',
      '512',
      '--window-device',
      '1024',
      '--streams',
      '3',
    ];
    await done('pair', 'd', '--allow', 'mqtt', ...args, '-o', file, '-c', config);
    const pairing = readPairing(readFileSync(file));
    assert.equal(Buffer.from(pairing.id).toString('hex'), '0a0b0c0d');
    assert.equal(pairing.expiry, Date.UTC(2099, 2, 1));
    assert.ok(Math.abs(pairing.notBefore! - Date.now() - 86_400_000) < 60_000);
    assert.equal(pairing.recordMax, 512);
    assert.equal(pairing.windowDevice, 1024);
    const { out } = await done('devices', '-c', config, '--json');
    assert.equal((JSON.parse(out) as { devices: { state: string }[] }).devices[0]!.state, 'not yet valid');
  });

  it('refuses what cannot be meant, and leaves neither file nor device behind', async () => {
    const { path, config } = await gatewayFolder();
    const file = join(path, 'no.json');
    const refuse = (message: RegExp, ...args: string[]): Promise<void> =>
      mistake(message, 'pair', ...args, '-o', file, '-c', config);
    await refuse(/--allow: name at least one upstream/, 'd');
    await refuse(/gateway\.toml has no upstream "htp"; did you mean "http"\?/, 'd', '--allow', 'htp');
    await refuse(/--mode: "key" is not one of .* did you mean "keys"\?/, 'd', '--allow', 'mqtt', '--mode', 'key');
    await refuse(/--suite: mode ticket has none/, 'd', '--allow', 'mqtt', '--mode', 'ticket', '--suite', 'p256');
    await refuse(/--with-psk goes with mode keys/, 'd', '--allow', 'mqtt', '--mode', 'psk', '--with-psk');
    await refuse(/--expires: "soon" is neither/, 'd', '--allow', 'mqtt', '--expires', 'soon');
    await refuse(/--expires: "2030-02-30" is neither/, 'd', '--allow', 'mqtt', '--expires', '2030-02-30');
    await refuse(/--expires: that time is over/, 'd', '--allow', 'mqtt', '--expires', '2020-01-01');
    await refuse(/--address: "nowhere" is not host:port/, 'd', '--allow', 'mqtt', '--address', 'nowhere');
    await refuse(/--id: not 8\.\.64 hex digits/, 'd', '--allow', 'mqtt', '--id', 'xyz');
    await refuse(
      /--record-max: "10" is not a whole number of 64\.\.16383/,
      'd',
      '--allow',
      'mqtt',
      '--record-max',
      '10',
    );
    await refuse(/NAME: .* is not 1\.\.64/, '-', '--allow', 'mqtt');
    assert.ok(!existsSync(file));
    const { out } = await done('devices', '-c', config, '--json');
    assert.deepEqual((JSON.parse(out) as { devices: [] }).devices, []);
  });

  it('pairs a name once, and anew with --replace; a taken file or id leaves no trace', async () => {
    const { path, config } = await gatewayFolder();
    const [one, two] = [join(path, '1.json'), join(path, '2.json')];
    const pair = (file: string, ...args: string[]): string[] => [
      'pair',
      ...args,
      '--allow',
      'mqtt',
      '-o',
      file,
      '-c',
      config,
    ];
    await done(...pair(one, 'd'));
    await mistake(/a device is called "d" already/, ...pair(two, 'd'));
    await mistake(/1\.json: exists already/, ...pair(one, 'e'));
    const id = Buffer.from(readPairing(readFileSync(one)).id).toString('hex');
    await mistake(/./, ...pair(two, 'e', '--id', id));
    assert.ok(!existsSync(two));
    await done(...pair(two, 'd', '--replace'));
    const { out } = await done('devices', '-c', config, '--json');
    const { devices } = JSON.parse(out) as { devices: { device: string; fingerprint: string }[] };
    assert.equal(devices.length, 1);
    assert.equal(devices[0]!.device, id);
    const inspected = await done('inspect', two, '--json');
    assert.equal(
      devices[0]!.fingerprint,
      (JSON.parse(inspected.out) as { reports: { fingerprint: string }[] }).reports[0]!.fingerprint,
    );
  });

  it('revokes by name or id, for good', async () => {
    const { path, config } = await gatewayFolder();
    await done('pair', 'pump', '--allow', 'mqtt', '-o', join(path, 'p.json'), '-c', config);
    await done('pair', 'lock', '--allow', 'mqtt', '-o', join(path, 'l.json'), '-c', config);
    await mistake(/no device is called "pum"; did you mean "pump"\?/, 'revoke', 'pum', '-c', config);
    const id = Buffer.from(readPairing(readFileSync(join(path, 'l.json'))).id).toString('hex');
    await done('revoke', 'pump', '-c', config);
    await done('revoke', id, '-c', config, '--remove');
    const { out } = await done('devices', '-c', config, '--json');
    const { devices } = JSON.parse(out) as { devices: { name: string; state: string; revoked: string }[] };
    assert.deepEqual(
      devices.map(({ name, state }) => [name, state]),
      [['pump', 'revoked']],
    );
    assert.ok(Math.abs(Date.parse(devices[0]!.revoked) - Date.now()) < 60_000);
  });

  it('inspect names file, field and reason, and finds keys that do not belong together', async () => {
    const { path, config } = await gatewayFolder();
    const file = join(path, 'd.json');
    await done('pair', 'd', '--allow', 'mqtt', '-o', file, '-c', config);
    const damaged = join(path, 'x.json');
    writeFileSync(damaged, readFileSync(file, 'utf8').replace('"suite"', '"suit"'));
    await mistake(/x\.json: suit: not a field of a pairing; did you mean "suite"\?/, 'inspect', damaged);
    await mistake(/nothing: no such file/, 'inspect', join(path, 'nothing'));
    writeFileSync(damaged, 'HWPR');
    await mistake(/x\.json: version: cut short: 0 of 1 bytes/, 'inspect', damaged);
  });

  it('connect refuses what it cannot use', async () => {
    const { path, config } = await gatewayFolder();
    const file = join(path, 'd.json');
    await done('pair', 'd', '--allow', 'mqtt', '--mode', 'ticket', '-o', file, '-c', config);
    const refuse = (message: RegExp, ...args: string[]): Promise<void> => mistake(message, 'connect', ...args);
    const usual = ['--pairing', file, '--gateway', '127.0.0.1:1', '--forward', '0=mqtt'];
    await refuse(/--pairing: say which file/, '--forward', '1=mqtt');
    await refuse(/--forward: say at least one/, '--pairing', file);
    await refuse(/--gateway: the pairing names no address/, '--pairing', file, '--forward', '0=mqtt');
    await refuse(/--state: a device of mode ticket must keep/, ...usual);
    await refuse(
      /0\.0\.0\.0 can be reached from other machines; add --expose/,
      '--pairing',
      file,
      '--forward',
      '0.0.0.0:0=mqtt',
    );
    await refuse(/"mqtt" is not PORT=NAME/, '--pairing', file, '--forward', 'mqtt');
    await refuse(/"70000=mqtt" is not/, '--pairing', file, '--forward', '70000=mqtt');
    await refuse(/"MQTT" is not a name/, '--pairing', file, '--forward', '1=MQTT');
    await refuse(/--streams: "0" is not/, ...usual, '--state', path, '--streams', '0');
    chmodSync(file, 0o644);
    await refuse(/d\.json: mode 0644 lets others at a secret/, ...usual, '--state', path);
  });
});
