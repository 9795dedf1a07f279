/** What an inspection gives: data for programs, text for people. */
export interface Report {
  data: object;
  text: string;
}

/** `label  value` lines, values in one column. */
export function lines(pairs: [label: string, value: string][]): string {
  const width = Math.max(...pairs.map(([label]) => label.length));
  return pairs.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join('\n') + '\n';
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What stands where a secret is not shown. */
export const HIDDEN = '(hidden; --show-secrets)';
