export type Figures = Record<string, number>;
export type Budgets = Record<string, { budget?: number; goal?: number }>;

/** What is wrong, a line for each. whole: every budget must have its figure. */
export declare function overBudget(figures: Figures, budgets: Budgets, whole: boolean): string[];
export declare function tighten(budgets: Budgets, figures: Figures): Budgets;
