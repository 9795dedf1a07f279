/** hawser's public API. */

export { createGateway, type Gateway } from './gateway.js';
export { connect, maxEarly, type Session } from './device.js';
export { HawserStream, type MessageStream } from './stream.js';
export { FileStorage, MemoryStorage } from './storage.js';
export { lmdbStore, type LmdbStoreOptions } from './store/lmdb.js';
export { memoryStore, type MemoryStoreOptions } from './store/memory.js';
export { createPairing, decodePairing, encodePairing, pairingFromJson, pairingToJson, readPairing } from './pairing.js';
export { createIdentityFiles, readConfig, readIdentity } from './config/on-demand.js';
export type { GatewayConfig } from './config.js';
export { Code, Kind, Mode, Suite, Transport, Verdict, type Engine } from './engine.js';
export { selectEngine } from './engine/select.js';
export { HawserError, type HawserErrorCode } from './errors.js';
export type * from './types.js';
