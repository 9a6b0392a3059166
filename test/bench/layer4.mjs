import { rowsOf } from './cpu-rows.mjs';
import { layer4Contestants } from './layer4/contestants.mjs';
import { layer4Workloads } from './layer4/workloads.mjs';
import { isProgram, perNode, readOptions } from './options.mjs';
import { cpuTable } from './page/cpu-table.mjs';
import { startNode, stop } from './processes/process.mjs';
import { takingPart } from './taking-part.mjs';
import { measureCpu } from './tcp/measure.mjs';

/** What a connection and a request cost evenkeel with every option of layer 4 switched on, beside none; each in a process of its own. */
export async function benchLayer4(options, report = () => {}) {
  const workloads = layer4Workloads(options).filter(({ name }) => options.workloads?.includes(name) ?? true);
  const results = [];
  const unknown = new Set();
  for (const workload of workloads) {
    const all = layer4Contestants(workload.protocol);
    const { entries } = takingPart(workload.isFull || options.only ? all : all.slice(0, 2), options);
    if (entries.length === 0) continue;
    const backends = await startNode(new URL('tcp/backends.mjs', import.meta.url), [String(entries.length)]);
    const client = await startNode(new URL('layer4/client.mjs', import.meta.url), [], { awaits: false });
    const setting = { client: client.child, members: backends.message.pairs, options };
    const racers = await measureCpu(workload, entries, setting);
    await stop(client.child);
    await stop(backends.child);
    for (const racer of racers) for (const name of racer.unknown ?? []) unknown.add(name);
    // What is not there costs nothing.
    const rows = rowsOf(entries, racers, 'none').filter(({ name }) => !unknown.has(name));
    const result = { ...workload, floor: 'none', rows };
    results.push(result);
    report(result);
  }
  return { unknown: [...unknown], results };
}

if (isProgram(import.meta)) {
  for (const options of perNode(readOptions())) {
    const { unknown } = await benchLayer4(options, (result) => console.log(cpuTable(result)));
    if (unknown.length > 0) console.log(`Not known to this version: ${unknown.join(', ')}.`);
  }
}
