import { measureApart } from './apart/measure-apart.mjs';
import { isProgram, perNode, readOptions } from './options.mjs';
import { short } from './page/pick-tables.mjs';
import { picksText } from './page/picks-text.mjs';
import { lookupRows } from './picks/cases/lookups.mjs';
import { pickRows } from './picks/cases/picks.mjs';
import { safeguardRows } from './picks/cases/safeguards.mjs';
import { tableRows } from './picks/cases/tables.mjs';

/**
 * Picks: what acquire and release cost in the pool itself, by strategy and number of members, beside other packages; look-ups by key;
 * what strategies take to prepare; and what safeguards cost. Each row and size in a process of its own.
 */
export function benchPicks(options, report = () => {}) {
  const measure = (rowsFor) =>
    rowsFor(options)
      .filter(({ name }) => options.strategies?.includes(name) ?? true)
      .map((row) => {
        const cells = row.sizes.map((members) => ({ members, ...measureApart(row.order(members), options) }));
        report(`${row.label}: ${cells.map(brief).join(', ')}`);
        return { ...row, cells };
      });
  return {
    picks: measure(pickRows),
    lookups: measure(lookupRows),
    tables: measure(tableRows),
    safeguards: measure(safeguardRows),
  };
}

/** For those who wait. */
function brief({ failed, pick, ratio, more }) {
  if (failed !== undefined) return failed;
  if (ratio !== undefined) return `${ratio.toFixed(1)} times a sort`;
  return pick === undefined ? `${short(more.median)} ns more` : `${short(pick.median)} ns`;
}

if (isProgram(import.meta)) {
  for (const options of perNode(readOptions())) console.log(picksText(benchPicks(options, console.error)));
}
