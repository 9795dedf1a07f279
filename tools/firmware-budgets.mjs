// Budgets of figures: by name { budget, goal }, the goal only where there is one. A goal may be missed, a budget may not; once a
// goal is reached no budget is above it.

/** What is wrong, a line for each. whole: every budget must have its figure. */
export function overBudget(figures, budgets, whole) {
  const failures = [];
  for (const [name, figure] of Object.entries(figures)) {
    const { budget, goal } = budgets[name] ?? {};
    if (budget === undefined) failures.push(`${name}: ${figure}, but it has no budget`);
    else if (!(figure <= budget)) failures.push(`${name}: ${figure}, budget ${budget}`);
    else if (figure <= goal && goal < budget)
      failures.push(`${name}: ${figure}, budget ${budget} above the goal ${goal}`);
  }
  const lost = Object.keys(budgets).filter((name) => whole && !(name in figures));
  return [...failures, ...lost.map((name) => `${name}: has a budget, but no figure`)];
}

/** Lower budgets where less was reached, and new ones. Some room, so that a few bytes are no failure: a part in two hundred, but none
 * beyond a goal that was reached; none for a struct. Figures that are gone lose their budgets. */
export function tighten(budgets, figures) {
  const names = Object.keys(figures).sort();
  return Object.fromEntries(
    names.map((name) => {
      const figure = figures[name];
      const { budget = Infinity, goal = 0 } = budgets[name] ?? {};
      const room = name.startsWith('sizeof') ? figure : Math.ceil((figure * 1.005) / 10) * 10;
      return [name, { ...budgets[name], budget: Math.min(budget, room, figure <= goal ? goal : Infinity) }];
    }),
  );
}
