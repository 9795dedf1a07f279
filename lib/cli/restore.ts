import type { Engine } from '../engine.js';
import { Mode } from '../engine.js';
import type { Store } from '../types.js';
import { command, wholeNumber } from './command.js';
import { json } from './io.js';
import { CONFIG_HELP, CONFIG_OPTION, withOperator } from './operator.js';

/** Blocks that a `ticket` device may have gone through since the backup: one with each of its starts. */
const AHEAD = { least: 2, usual: 64, most: 250 } as const;

interface Counts {
  /** Devices of mode `ticket`: so many blocks are indexed for each now. */
  ticket: number;
  /** All others: they do a full handshake where their chain is not found. */
  other: number;
}

async function count(store: Store): Promise<Counts> {
  const counts = { ticket: 0, other: 0 };
  for await (const { record } of store.list()) counts[record.mode === Mode.Ticket ? 'ticket' : 'other'] += 1;
  return counts;
}

/** SPEC 7.5 rule 1: an operator raises J. */
function raise(store: Store, engine: Engine, ahead: number): Promise<void> {
  return store.restore(ahead, (state) =>
    state.chain ? engine.chainTickets(state.chain, state.ahead).map(({ ticket }) => ticket) : [],
  );
}

export const restore = command({
  name: 'restore',
  summary: 'the step after a backup of the store was put back',
  usage: `[--ahead N] [--json]

Stop the gateway, put the backup of the store's folder back, then do this. Keep the log of ended pairings
(files.revocations) as it is: pairings that ended since stay ended. The command itself may also run beside a gateway that was
started on the backup already: that one takes it over at once.

The store gets a new incarnation, so that no early data is vouched for that the backup does not know of. Devices of mode
ticket, which have nothing but their chain, are looked for N blocks ahead, until they have come back once; a device takes a
new block with each of its starts. One that stays silent is further ahead (raise N) or must be paired again.

${CONFIG_HELP}
      --ahead N          blocks, ${AHEAD.least}..${AHEAD.most} (default ${AHEAD.usual})
      --json             print what was done as JSON`,
  options: { ...CONFIG_OPTION, ahead: { type: 'string' }, json: { type: 'boolean' } },
  positionals: [0, 0],
  async run(values, _positionals, io) {
    const ahead = wholeNumber('--ahead', values.ahead, AHEAD.least, AHEAD.most) ?? AHEAD.usual;
    return withOperator(values.config, io, async ({ config, engine, store }) => {
      await raise(store, engine, ahead);
      const devices = await count(store);
      const { incarnation } = store;
      if (values.json) io.out(json({ store: config.files.store, incarnation, ahead, devices }));
      io.note(`${config.files.store}: new incarnation ${incarnation}`);
      io.note(`devices of mode ticket: ${devices.ticket}, looked for ${ahead} blocks ahead until they come back`);
      io.note(`other devices: ${devices.other}, they do a full handshake where they must`);
      return 0;
    });
  },
});
