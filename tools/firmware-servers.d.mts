/** @throws if a connection but the first used the PSK, or there was none. */
export declare function checkResumed(connections: Buffer[]): void;

export declare function frame(bytes: Uint8Array): Buffer;
export declare function framesOf(pieces: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer>;
