import { contestants } from './http/contestants.mjs';
import { measure } from './http/measure.mjs';
import { workloads } from './http/workloads.mjs';
import { median } from './median.mjs';
import { isProgram, perNode, readOptions } from './options.mjs';
import { table } from './page/table.mjs';
import { startNode, stop } from './processes/process.mjs';
import { takingPart } from './taking-part.mjs';

/**
 * HTTP: CPU and latency of evenkeel beside packages for Node, nginx and HAProxy, each in a process of its own, all with the same
 * requests at the same moments.
 */
export async function benchHttp(options, report = () => {}) {
  const { entries, missing } = takingPart(contestants, options);
  const backends = await startNode(new URL('http/backends.mjs', import.meta.url), [String(entries.length)]);
  const client = await startNode(new URL('http/client.mjs', import.meta.url), [], { awaits: false });
  const setting = { client: client.child, options };
  const results = [];
  for (const workload of workloads(options)) {
    if (options.workloads?.includes(workload.name) === false) continue;
    const takingPart = entries.filter(({ does }) => does === undefined || does(workload.name));
    const members = takingPart.map((entry) => backends.message.pairs[entries.indexOf(entry)]);
    const racers = await measure(workload, takingPart, { ...setting, members });
    const rows = entries.map((entry) => rowOf(entry, racers[takingPart.indexOf(entry)], workload));
    const result = { ...workload, rows };
    results.push(result);
    report(result);
  }
  await stop(client.child);
  await stop(backends.child);
  return { contestants: entries.map(({ label, version }) => ({ label, version })), missing, results };
}

/** A row has `rounds` only where its contestant has done them all. */
function rowOf({ name, label, isPeer = false, usesUndici = false }, racer, { rounds }) {
  const isWhole = racer?.rounds.length === rounds && racer.failed === undefined;
  return { name, label, isPeer, usesUndici, failed: racer?.failed, rounds: isWhole ? racer.rounds : undefined };
}

/**
 * How many times as much CPU one takes as another: by the median of the rounds' ratios, since the machine's speed changes between
 * rounds.
 *
 * @param {'full' | 'paced'} load
 */
export function cpuRatio(row, other, load) {
  return median(row.rounds.map((round, n) => round[load].cpu / other.rounds[n][load].cpu));
}

/** A result as Markdown: first what requests cost at full speed, then what they cost and how long they take at a rate. */
export function httpTable({ title, rate, rounds, rows }) {
  const beside = ['evenkeel', 'nginx'].map((name) => rows.find((row) => row.name === name && row.rounds));
  const lines = (load, cells) => rows.map((row) => [row.label, ...costs(row, load, beside), ...cells(row)]);
  const head = ['CPU µs per request', 'all rounds', 'to evenkeel', 'to nginx'];
  const full = table(
    ['at full speed', ...head],
    lines('full', () => []),
  );
  const paced = table(
    [`at ${rate.toLocaleString('en')} a second`, ...head, 'median ms', '99th percentile ms'],
    lines('paced', latencies),
  );
  return `${title} (${rounds} rounds).\n\n${full}\n\n${paced}\n${remarks(rows)}`;
}

function costs(row, load, beside) {
  if (row.rounds === undefined) return ['-', '-', '-', '-'];
  const cpu = row.rounds.map((round) => round[load].cpu);
  return [
    cpuText(median(cpu)),
    `${cpuText(Math.min(...cpu))} to ${cpuText(Math.max(...cpu))}`,
    ...beside.map((other) => (other === undefined ? '-' : cpuRatio(row, other, load).toFixed(2))),
  ];
}

function latencies({ rounds }) {
  if (rounds === undefined) return ['-', '-'];
  return [rounds.map(({ paced }) => paced.p50), rounds.map(({ paced }) => paced.p99)].map((all) =>
    median(all).toFixed(2),
  );
}

const cpuText = (value) => value.toFixed(value < 100 ? 1 : 0);

/** Which dashes are failures, and which latencies are those of a queue that grew. */
function remarks(rows) {
  const failures = rows.filter(({ failed }) => failed).map(({ label, failed }) => `${label} failed: ${failed}.`);
  const slow = rows.flatMap(({ label, rounds = [] }) => {
    const missed = rounds.filter(({ paced }) => !paced.keptUp).length;
    return missed === 0 ? [] : [`${label} did not keep up in ${missed} of ${rounds.length} rounds.`];
  });
  return [...failures, ...slow].map((line) => `\n${line}\n`).join('');
}

if (isProgram(import.meta)) {
  for (const options of perNode(readOptions())) await benchHttp(options, (result) => console.log(httpTable(result)));
}
