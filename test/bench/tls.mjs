import { rowsOf } from './cpu-rows.mjs';
import { isProgram, perNode, readOptions } from './options.mjs';
import { cpuTable } from './page/cpu-table.mjs';
import { startNode, stop } from './processes/process.mjs';
import { takingPart } from './taking-part.mjs';
import { measureCpu } from './tcp/measure.mjs';
import { makeCertificate } from './tls/certificates.mjs';
import { tlsContestants } from './tls/contestants.mjs';
import { tlsWorkloads } from './tls/workloads.mjs';

/** Ending TLS: CPU of evenkeel beside a bare relay with TLS, HAProxy and nginx, each in a process of its own. */
export async function benchTls(options, report = () => {}) {
  const certificates = { ecdsa: makeCertificate('ecdsa'), rsa: makeCertificate('rsa') };
  const partsFor = (certificate) => takingPart(tlsContestants(certificate), options);
  const { entries, missing } = partsFor(certificates.ecdsa);
  if (entries.length === 0) return { contestants: [], missing, results: [] };
  const backends = await startNode(new URL('tcp/backends.mjs', import.meta.url), [String(entries.length)]);
  const client = await startNode(new URL('tls/client.mjs', import.meta.url), [], { awaits: false });
  const setting = { client: client.child, members: backends.message.pairs, options };
  const results = [];
  for (const workload of tlsWorkloads(options)) {
    if (options.workloads?.includes(workload.name) === false) continue;
    const racers = await measureCpu(workload, partsFor(certificates[workload.certificate]).entries, setting);
    const result = { ...workload, floor: 'bare relay', rows: rowsOf(entries, racers, 'bare') };
    results.push(result);
    report(result);
  }
  await stop(client.child);
  await stop(backends.child);
  return { contestants: entries.map(({ label, version }) => ({ label, version })), missing, results };
}

if (isProgram(import.meta)) {
  for (const options of perNode(readOptions())) await benchTls(options, (result) => console.log(cpuTable(result)));
}
