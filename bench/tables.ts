/** Rows for people. */

import type { Row } from './measure.js';

export function title(row: Row): string {
  return `${row.section} (median; ratio to ${row.peer})`;
}

/** One row on one line. */
export function headline(row: Row): string {
  const results = row.results.map(
    ({ name, median, ratio }) => `${name} ${figure(median)}${row.unit} (${ratio.toFixed(2)})`,
  );
  const goal = row.goal ? `   goal ${row.goal.ratio}: ${row.goal.met ? 'met' : 'missed'}` : '';
  return `  ${row.what}: ${results.join('   ')}${goal}`;
}

export function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** The page that `--write` writes. */
export function table(
  rows: readonly Row[],
  machine: Record<string, string | number>,
  missing: readonly string[],
): string {
  const lines = [
    '# Bench',
    '',
    'Written by `npm run bench -- --write`. Each figure is the median of rounds that took turns with those of its peers, then the least and the most, then the ratio',
    'of its median to that of the peer. Compare within a row; absolute figures are those of one machine on one day.',
    '',
    Object.entries(machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join('; '),
    `Not installed, so not measured: ${missing.join(', ') || 'nothing'}.`,
  ];
  for (const section of new Set(rows.map((row) => row.section))) {
    lines.push(
      '',
      `## ${section}`,
      '',
      '| what | contender | median | least .. most | ratio | goal |',
      '|---|---|--:|--:|--:|---|',
    );
    for (const row of rows.filter((each) => each.section === section)) lines.push(...tableRows(row));
  }
  return `${lines.join('\n')}\n`;
}

function tableRows(row: Row): string[] {
  return row.results.map(({ name, median, least, most, ratio }, index) => {
    const goal = row.goal?.name === name ? `>= ${row.goal.ratio}: ${row.goal.met ? 'met' : 'missed'}` : '';
    const shown = name === row.peer ? 'peer' : ratio.toFixed(2);
    return `| ${index === 0 ? row.what : ''} | ${name} | ${figure(median)} ${row.unit} | ${figure(least)} .. ${figure(most)} | ${shown} | ${goal} |`;
  });
}
