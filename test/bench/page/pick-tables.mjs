import { table } from './table.mjs';

/** Results of `benchPicks`, each kind as a Markdown table. */

export const count = (number) => number.toLocaleString('en');
/** Nanoseconds. */
export const short = (value) => value.toFixed(value < 100 ? 1 : 0);
const milliseconds = (value) => value.toFixed(value < 10 ? 3 : 0);

/** A row for each result and a column for each number of members that any was measured at. */
function byMembers(corner, results, text) {
  const sizes = [...new Set(results.flatMap((row) => row.sizes))].sort((a, b) => a - b);
  const cellText = (cells, size) => {
    const cell = cells.find(({ members }) => members === size);
    return cell === undefined ? '' : (cell.failed ?? text(cell));
  };
  return table(
    [corner, ...sizes.map((size) => `${count(size)} members`)],
    results.map(({ label, cells }) => [label, ...sizes.map((size) => cellText(cells, size))]),
  );
}

export function pickTable(results) {
  return byMembers('ns of CPU', results, ({ pick }) => short(pick.median));
}

export const lookupTable = pickTable;

export function prepareTable(results) {
  return byMembers('ms', results, ({ prepare }) => milliseconds(prepare));
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
