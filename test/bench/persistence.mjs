import { measureApart } from './apart/measure-apart.mjs';
import { isProgram, perNode, readOptions } from './options.mjs';
import { persistenceText } from './page/persistence-part.mjs';
import { short } from './page/pick-tables.mjs';
import { poolRows, tableRows } from './persistence/cases.mjs';

/** Milliseconds that one table may take. */
const patience = 60_000;

/** What it costs to remember clients, by how many: tables by themselves, and in a pool. Each row and size in a process of its own. */
export function benchPersistence(options, report = () => {}) {
  const measure = (rows) =>
    rows.map((row) => {
      const cells = row.sizes.map((entries) => ({
        entries,
        ...measureApart(row.order(entries), options, patience),
      }));
      report(`${row.label}: ${cells.map(brief).join(', ')}`);
      return { ...row, cells };
    });
  return { tables: measure(tableRows(options)), pools: measure(poolRows(options)) };
}

/** For those who wait. */
const brief = ({ failed, hit, more }) => failed ?? (hit === undefined ? `${short(more)} ns more` : `${short(hit)} ns`);

if (isProgram(import.meta)) {
  for (const options of perNode(readOptions())) console.log(persistenceText(benchPersistence(options, console.error)));
}
