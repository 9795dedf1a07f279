export type BoardName = 'an386' | 'an385' | 'virt';
export type BuildName = 'ticket' | 'psk-p256' | 'keys-p256' | 'keys-25519';

export interface Board {
  cpu: string;
  compiler: string;
  emulator: string;
  machine: string[];
  /** MiB of memory, and where of them the shared part begins. */
  memory: number;
  shared: number;
}

export declare const boards: Record<BoardName, Board>;
export declare const builds: Record<BuildName, { defines: string; pair: string[] }>;
export declare const images: { name: string; board: BoardName; build: BuildName }[];

/** Installs the packages as root, else names them. */
export declare function needTools(names?: BoardName[]): void;
/** mbedTLS's sources; quick when they are there. */
export declare function fetchSources(): void;
/** The folder with image.elf and image.map. */
export declare function buildImage(
  board: BoardName,
  build: BuildName,
  variant?: string,
  extra?: { defines?: string; app?: string },
): Promise<string>;
