/** The symbol versions in the output of `objdump -T` that are above their limits. */
export function newerThan(text: string, limits: Record<string, string>): string[];
