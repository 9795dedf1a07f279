/** The simulation's judge can say no: each thing that must never happen, done on purpose. */

import assert from 'node:assert/strict';
import { pattern } from '../suite/bytes.js';
import { StreamEnd } from '../suite/ends.js';
import { StreamModel } from './model.js';

/** A stream whose 50 bytes each way arrived, FIN and all. */
function good(): { model: StreamModel; device: StreamEnd; upstream: StreamEnd } {
  const device = new StreamEnd(0, 's-0', 0);
  const upstream = new StreamEnd(0, 's-0', 0);
  device.write(pattern(50, 1), true);
  upstream.write(pattern(50, 2), true);
  device.receive(upstream.written);
  upstream.receive(device.written);
  device.gotFin = upstream.gotFin = true;
  device.code = upstream.code = 0;
  const model = new StreamModel(device);
  model.upstreams.push(upstream);
  return { model, device, upstream };
}

const faults: Record<string, (parts: ReturnType<typeof good>) => void> = {
  'a byte arrives twice': ({ upstream }) => upstream.receive(pattern(1)),
  'a byte is lost': ({ upstream }) => (upstream.received = upstream.received.slice(0, 49)),
  'bytes are swapped': ({ device }) => (device.received = Uint8Array.from(device.received).reverse()),
  'a byte is another': ({ upstream }) =>
    (upstream.received = upstream.received.map((byte, at) => (at === 20 ? byte ^ 1 : byte))),
  'FIN in the middle': ({ device }) => (device.received = device.received.slice(0, 10)),
  'FIN that nobody sent': ({ device }) => (device.wantsFin = false),
  'handed over twice': ({ model }) => model.upstreams.push(new StreamEnd(0, 's-0', 0)),
  'ended in good order without FIN': ({ upstream }) => (upstream.gotFin = false),
};

describe('the model of the simulation', () => {
  it('takes what is right', () => {
    good().model.check();
    good().model.checkSettled();
  });

  for (const [what, fault] of Object.entries(faults))
    it(`refuses: ${what}`, () => {
      const parts = good();
      fault(parts);
      assert.throws(() => parts.model.check(), assert.AssertionError);
    });

  it('refuses what never arrives, unless an error was reported or nobody waits any more', () => {
    const lost = (): StreamModel => {
      const parts = good();
      parts.device.code = undefined;
      parts.model.upstreams.length = 0;
      parts.device.received = new Uint8Array(0);
      parts.device.gotFin = false;
      return parts.model;
    };
    assert.throws(() => lost().checkSettled(), assert.AssertionError);
    const told = lost();
    told.device.code = 5;
    told.checkSettled();
    const orphan = lost();
    orphan.orphaned = true;
    orphan.checkSettled();
  });
});
