import { rowsOf } from './cpu-rows.mjs';
import { isProgram, perNode, readOptions } from './options.mjs';
import { cpuTable } from './page/cpu-table.mjs';
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
  const add = (workload, racers) => {
    const result = { ...workload, floor: 'bare relay', rows: rowsOf(entries, racers, 'bare') };
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

if (isProgram(import.meta)) {
  for (const options of perNode(readOptions())) await benchTcp(options, (result) => console.log(cpuTable(result)));
}
