import { median } from '../median.mjs';
import { table } from './table.mjs';

/** A result as Markdown: contestants beside one of them, whose label is `floor`. */
export function cpuTable({ title, unit, rows, rounds, floor }) {
  const lines = rows.map(({ label, figures, ratios }) => [
    label,
    ...(figures === undefined ? ['-', '-'] : summary(figures, (value) => value.toFixed(value < 100 ? 1 : 0))),
    ...(ratios === undefined ? ['', ''] : summary(ratios, (value) => value.toFixed(2))),
  ]);
  const failures = rows.filter(({ failed }) => failed).map(({ label, failed }) => `\n${label} failed: ${failed}.\n`);
  const head = [unit, 'median', 'all rounds', `to ${floor}`, 'all rounds'];
  return `${title} (${rounds} rounds).\n\n${table(head, lines)}\n${failures.join('')}`;
}

function summary(values, text) {
  return [text(median(values)), `${text(Math.min(...values))} to ${text(Math.max(...values))}`];
}
