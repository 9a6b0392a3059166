import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isProgram, perNode, readOptions } from './options.mjs';
import { table } from './page/table.mjs';
import { rows, sizes } from './picks/cases.mjs';

const program = fileURLToPath(new URL('picks/one.mjs', import.meta.url));

/** Picks: what acquire and release cost in the pool itself, by strategy and number of members, beside other packages. */
export function benchPicks(options, report = () => {}) {
  return rows
    .filter((row) => !options.quick || row.isQuick)
    .map((row) => {
      const cells = sizes.map((members) => measure(row.order(members), options));
      report(`${row.label}: ${cells.map(pickText).join(', ')} ns`);
      return { ...row, cells };
    });
}

/** @returns `{ pick, prepare }`, or `{ failed }` with the reason in words */
function measure(order, { quick, node }) {
  const effort = quick ? { rounds: 3, milliseconds: 15 } : { rounds: 5, milliseconds: 40 };
  const timeout = quick ? 3000 : 12_000;
  const { error, status, stdout, stderr } = spawnSync(
    node,
    ['--expose-gc', program, JSON.stringify({ ...order, ...effort })],
    {
      encoding: 'utf8',
      timeout,
      killSignal: 'SIGKILL',
    },
  );
  if (error?.code === 'ETIMEDOUT') return { failed: `not done in ${timeout / 1000} s` };
  if (status !== 0) return { failed: /\w*Error: .*|heap out of memory/.exec(stderr)?.[0] ?? `exit code ${status}` };
  return JSON.parse(stdout);
}

const pickText = ({ pick, failed }) => failed ?? pick.median.toFixed(pick.median < 100 ? 1 : 0);
const prepareText = ({ prepare, failed }) => failed ?? prepare.toFixed(prepare < 10 ? 3 : 0);

const head = (first) => [first, ...sizes.map((size) => `${size.toLocaleString('en')} members`)];
const lines = (results, text) => results.map(({ label, cells }) => [label, ...cells.map(text)]);

export function pickTable(results) {
  return table(head('ns of CPU'), lines(results, pickText));
}

export function prepareTable(results) {
  const once = results.filter(({ pattern }) => pattern === undefined || pattern === '');
  return table(head('ms'), lines(once, prepareText));
}

if (isProgram(import.meta)) {
  for (const options of perNode(readOptions())) {
    const results = benchPicks(options, console.error);
    console.log(`acquire + release\n\n${pickTable(results)}\n\nprepare\n\n${prepareTable(results)}\n`);
  }
}
