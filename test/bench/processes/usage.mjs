import { readdirSync, readFileSync } from 'node:fs';

/** A process and its children, since nginx works in a child. */
function tree(pid) {
  const pids = [pid];
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
    if (children !== '') for (const child of children.split(' ')) pids.push(...tree(Number(child)));
  }
  return pids;
}

/**
 * CPU time, user and system, that a process and its children have had, in seconds. The sum over all threads of what the scheduler
 * accounts in nanoseconds: it is the same time as `utime + stime` of `/proc/<pid>/stat`, which counts in steps of 10 ms.
 */
export function cpuSeconds(pid) {
  let nanoseconds = 0;
  for (const each of tree(pid)) {
    for (const thread of readdirSync(`/proc/${each}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${each}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
  }
  return nanoseconds / 1e9;
}

/** Resident memory of a process and its children, in KiB. */
export function residentKib(pid) {
  let sum = 0;
  for (const each of tree(pid))
    sum += Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1]);
  return sum;
}
