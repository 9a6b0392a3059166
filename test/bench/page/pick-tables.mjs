import { table } from './table.mjs';

/** Results of `benchPicks`, each kind as a Markdown table. */

export const count = (number) => number.toLocaleString('en');
/** Nanoseconds. */
export const short = (value) => value.toFixed(value < 100 ? 1 : 0);
const milliseconds = (value) => value.toFixed(value < 10 ? 3 : 0);

/** A row for each result and a column for each number of members, of those that have figures or have failed. */
function byMembers(corner, results, figure) {
  const rows = results.map(({ label, cells }) => ({
    label,
    texts: new Map(
      cells.map((cell) => [cell.members, cell.failed ?? figure(cell)]).filter(([, text]) => text !== undefined),
    ),
  }));
  const sizes = [...new Set(rows.flatMap(({ texts }) => [...texts.keys()]))].sort((a, b) => a - b);
  return table(
    [corner, ...sizes.map((size) => `${count(size)} members`)],
    rows
      .filter(({ texts }) => texts.size > 0)
      .map(({ label, texts }) => [label, ...sizes.map((size) => texts.get(size) ?? '')]),
  );
}

export function pickTable(results) {
  return byMembers('ns of CPU', results, ({ pick }) => short(pick.median));
}

export function aloneTable(results) {
  return byMembers('ns of CPU', results, ({ alone }) => alone && short(alone.median));
}

export function prepareTable(results) {
  return byMembers('ms', results, ({ prepare }) => (prepare === undefined ? undefined : milliseconds(prepare)));
}

export function tableTable(results) {
  const line = (label, { members, points, build, sort, ratio, failed }) => [
    label,
    count(members),
    ...(failed === undefined
      ? [count(points), milliseconds(build), milliseconds(sort), ratio.toFixed(1)]
      : [failed, '', '', '']),
  ];
  return table(
    ['', 'members', 'points', 'ms to prepare', 'ms to sort as many', 'ratio'],
    results.flatMap(({ label, cells }) => cells.map((cell) => line(label, cell))),
  );
}

export function safeguardTable(results) {
  const line = ({ label, life, cells: [{ off, on, more, failed }] }) => [
    label,
    life,
    ...(failed === undefined
      ? [short(off.median), short(on.median), short(more.median), `${short(more.least)} to ${short(more.most)}`]
      : [failed, '', '', '']),
  ];
  return table(['ns of CPU', 'lease', 'off', 'on', 'more', 'all rounds'], results.map(line));
}
