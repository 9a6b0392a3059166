import { median } from './median.mjs';
import { isProgram, perNode, readOptions } from './options.mjs';
import { table } from './page/table.mjs';
import { startNode, stop } from './processes/process.mjs';
import { takingPart } from './taking-part.mjs';
import { contestants } from './tcp/contestants.mjs';
import { measureCpu, measureMemory } from './tcp/measure.mjs';
import { cpuWorkloads, memoryWorkload } from './tcp/workloads.mjs';

/** The TCP path: CPU and memory of evenkeel beside a bare relay, HAProxy and nginx, each in a process of its own. */
export async function benchTcp(options, report = () => {}) {
  const { entries, missing } = takingPart(contestants, options);
  const backends = await startNode(new URL('tcp/backends.mjs', import.meta.url), [String(entries.length)]);
  const client = await startNode(new URL('tcp/client.mjs', import.meta.url), [], { awaits: false });
  const setting = { client: client.child, members: backends.message.pairs, options };
  const results = [];
  const add = (workload, figures) => {
    const result = { ...workload, rows: rowsOf(entries, figures) };
    results.push(result);
    report(result);
  };
  const isWanted = ({ name }) => options.workloads === undefined || options.workloads.includes(name);
  for (const workload of cpuWorkloads(options).filter(isWanted)) {
    add(workload, await measureCpu(workload, entries, setting));
  }
  const memory = memoryWorkload(options);
  if (isWanted(memory)) add(memory, await measureMemory(memory, entries, setting));
  await stop(client.child);
  await stop(backends.child);
  return { contestants: entries.map(({ label, version }) => ({ label, version })), missing, results };
}

/** Ratios are taken within each round and their median is shown, since the machine's speed changes between rounds. */
function rowsOf(entries, figures) {
  const floor = figures[entries.findIndex(({ name }) => name === 'bare')];
  return entries.map(({ name, label }, index) => {
    const own = figures[index];
    return { name, label, figures: own, ratios: floor && own.map((figure, round) => figure / floor[round]) };
  });
}

/** A result as Markdown. */
export function tcpTable({ title, unit, rows, rounds }) {
  const lines = rows.map(({ label, figures, ratios }) => [
    label,
    ...summary(figures, (value) => value.toFixed(value < 100 ? 1 : 0)),
    ...(ratios === undefined ? ['', ''] : summary(ratios, (value) => value.toFixed(2))),
  ]);
  return `${title} (${rounds} rounds).\n\n${table([unit, 'median', 'all rounds', 'to bare relay', 'all rounds'], lines)}\n`;
}

function summary(values, text) {
  return [text(median(values)), `${text(Math.min(...values))} to ${text(Math.max(...values))}`];
}

if (isProgram(import.meta)) {
  for (const options of perNode(readOptions())) await benchTcp(options, (result) => console.log(tcpTable(result)));
}
