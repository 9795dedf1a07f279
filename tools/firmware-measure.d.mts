/** Bytes by component. */
export type Parts = Record<string, number>;

/** @throws if the map does not account for each byte of the sections. */
export declare function countParts(
  map: string,
  sizes: Map<string, number>,
): { flash: Parts; memory: Parts; pieces: { part: string; name: string; bytes: number }[] };

/** Of what a measured device printed. @throws if it failed. */
export declare function costsIn(text: string): Record<string, { instructions: number; stack: number }>;

/** Of a header's structs and unions the outermost. @throws for one that nobody could name. */
export declare function publicTypes(header: string): { name: string; type: string }[];
