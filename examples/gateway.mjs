// A gateway in Node. `hawser init` made the folder, `hawser pair NAME --allow echo` the devices.
import { createGateway, lmdbStore, readConfig, readIdentity, selectEngine } from 'hawser';

const config = await readConfig(process.argv[2] ?? 'gateway.toml');
const identity = await readIdentity(config, selectEngine());
const store = await lmdbStore({ path: config.files.store, sealingKey: identity.sealingKey });

const gateway = createGateway({ store, identity, upstreams: config.upstreams });
gateway.on('session', ({ name, remote }) => console.log('session', name, remote));
gateway.on('refused', ({ upstream, reason }) => console.log('refused', upstream, reason));
gateway.on('error', (error) => console.error(error.message));
await gateway.listen(config.listen);
console.log('listening on port', config.listen.port);

process.once('SIGTERM', async () => {
  await gateway.close({ drain: 10_000 });
  await store.close();
});
