import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isProgram, readOptions } from './options.mjs';
import { others, ours, sizes } from './picks/cases.mjs';
import { table } from './table.mjs';

const program = fileURLToPath(new URL('picks/one.mjs', import.meta.url));

/** Picks: what acquire and release cost in the pool itself, by strategy and number of members, beside other packages. */
export function benchPicks(options, report = () => {}) {
  const measureAll = (rows) =>
    rows.map((row) => {
      const cells = sizes.map((members) => measure(row.order(members), options));
      report(`${row.label}: ${cells.map(pickText).join(', ')} ns`);
      return { ...row, cells };
    });
  return { sizes, ours: measureAll(ours), others: measureAll(others) };
}

/** @returns `{ pick, prepare }`, or `{ failed }` with the reason in words */
function measure(order, { quick, node }) {
  const effort = quick ? { rounds: 3, milliseconds: 25 } : { rounds: 7, milliseconds: 60 };
  const timeout = quick ? 8000 : 20_000;
  const { error, status, stdout, stderr } = spawnSync(node, [program, JSON.stringify({ ...order, ...effort })], {
    encoding: 'utf8',
    timeout,
    killSignal: 'SIGKILL',
  });
  if (error?.code === 'ETIMEDOUT') return { failed: `not done in ${timeout / 1000} s` };
  if (status !== 0) return { failed: /\w*Error: .*|heap out of memory/.exec(stderr)?.[0] ?? `exit code ${status}` };
  return JSON.parse(stdout);
}

const pickText = ({ pick, failed }) => failed ?? pick.median.toFixed(pick.median < 100 ? 1 : 0);
const prepareText = ({ prepare, failed }) => failed ?? prepare.toFixed(prepare < 10 ? 3 : 0);

export function pickTables({ ours: own, others: foreign }) {
  const head = (first) => [first, ...sizes.map((size) => `${size.toLocaleString('en')} members`)];
  const rows = (list, text) =>
    list.map(({ label, beside, cells }) => [beside ? `${label}: ${beside}` : label, ...cells.map(text)]);
  return [
    table(head('acquire + release, ns'), rows(own, pickText)),
    table(head('one pick, ns'), rows(foreign, pickText)),
    table(
      head('a change and the first pick after it, ms'),
      rows(
        own.filter(({ pattern }) => pattern === 'at once'),
        prepareText,
      ),
    ),
    table(head('making it, ms'), rows(foreign, prepareText)),
  ].join('\n\n');
}

if (isProgram(import.meta)) {
  console.log(pickTables(benchPicks(readOptions(), console.error)));
}
