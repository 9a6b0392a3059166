/**
 * `npm run conformance`: plays every row against every contestant, and writes the page. `--only httpxy,fast-proxy` and
 * `--rows two-hosts,connect` leave things out, and print what comes out instead.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { groups } from '../rows.ts';
import { contestants, root } from './contestants.ts';
import { judge, type Verdict } from './judge.ts';
import { type Column, conformancePage } from './page.ts';
import { ProxyProcess } from './proxy-process.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, rows: { type: 'string' } } });
const isWhole = values.only === undefined && values.rows === undefined;
const isChosen = (id: string, chosen: string | undefined): boolean =>
  chosen === undefined || chosen.split(',').includes(id);

const columns: Column[] = [];
for (const contestant of contestants.filter(({ name }) => isChosen(name, values.only))) {
  const proxy = new ProxyProcess(contestant.name);
  const verdicts = new Map<string, Verdict>();
  for (const row of groups.flatMap(({ rows }) => rows).filter(({ id }) => isChosen(id, values.rows))) {
    const verdict = await judge(row, contestant, proxy);
    verdicts.set(row.id, verdict);
    if (!isWhole) console.log(`${contestant.name}  ${row.id}: ${verdict.reason || verdict.outcome}`);
  }
  proxy.kill();
  const passes = [...verdicts.values()].filter(({ outcome }) => outcome === 'pass').length;
  console.log(`${contestant.name}: ${passes} of ${verdicts.size} rows pass`);
  columns.push({ contestant, verdicts });
}
if (isWhole) {
  writeFileSync(new URL('docs/conformance.md', root), conformancePage(groups, columns));
  console.log('written to docs/conformance.md');
} else {
  console.log('docs/conformance.md is left as it is: only a whole run writes it');
}
