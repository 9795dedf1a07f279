import { command } from './command.js';
import { CONFIG_HELP, CONFIG_OPTION, findDevice, idText, withOperator } from './operator.js';

export const revoke = command({
  name: 'revoke',
  summary: 'end a pairing for good',
  usage: `NAME|ID [--remove]

Ends a pairing for good; a gateway that runs notices and ends the device's session. To serve the device again, pair it anew.

${CONFIG_HELP}
      --remove           forget the device as well`,
  options: { ...CONFIG_OPTION, remove: { type: 'boolean' } },
  positionals: [1, 1],
  run: (values, [wanted], io) =>
    withOperator(values.config, io, async ({ store }) => {
      const { record } = await findDevice(store, wanted!);
      const done = values.remove ? await store.remove(record.id) : await store.revoke(record.id);
      const name = record.name === '' ? '' : `${record.name}, `;
      io.note(
        `${name}device ${idText(record.id)}: ${!done ? 'was gone already' : values.remove ? 'revoked and removed' : 'revoked'}`,
      );
      return done ? 0 : 1;
    }),
});
