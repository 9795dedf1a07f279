export interface Model {
  name: 'chain' | 'full' | 'streams';
  assertions: [name: string, expression: RegExp][];
  bases: { name: string; short?: boolean; bounds: Record<string, number | true> }[];
  mutants: [name: string, rule: string, assertion: string, bounds?: Record<string, number | true>][];
}

export declare const models: Model[];
