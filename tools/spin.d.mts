export type Macros = Record<string, number | true>;

/** In build/model/<name>, with these macros; gcc's `options` say how it searches. The path of the program. */
export declare function buildSearch(
  model: string,
  name: string,
  macros: Macros,
  options: readonly string[],
): Promise<string>;
export declare function flags(macros: Macros): string[];
/** Installs what is missing as root, else throws with its name. */
export declare function needSpin(): void;
