/** The part of noise-c.wasm that the tests use; the package has no types. */
declare module 'noise-c.wasm' {
  interface CipherState {
    EncryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array;
    DecryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array;
    free(): void;
  }
  interface HandshakeState {
    Initialize(prologue: Uint8Array, s: Uint8Array | null, rs: Uint8Array | null, psk?: Uint8Array | null): void;
    WriteMessage(payload?: Uint8Array): Uint8Array;
    ReadMessage(message: Uint8Array, payloadNeeded?: boolean): Uint8Array;
    GetHandshakeHash(): Uint8Array;
    /** Sending, then receiving; frees the handshake. */
    Split(): [CipherState, CipherState];
    free(): void;
  }
  interface Library {
    constants: Record<'NOISE_ROLE_INITIATOR' | 'NOISE_ROLE_RESPONDER' | 'NOISE_DH_CURVE25519', number>;
    CreateKeyPair(curve: number): [Uint8Array, Uint8Array];
    HandshakeState: new (protocol: string, role: number) => HandshakeState;
  }
  export default function createNoise(ready: (noise: Library) => void): void;
}
