import { setTimeout as sleep } from 'node:timers/promises';
import { reply, stop } from './process.mjs';
import { cpuSeconds, residentKib } from './usage.mjs';

/** No order takes longer than this, in milliseconds. */
const patience = 60_000;
/** Milliseconds for a contestant to finish what the client no longer sees, such as closing its sockets. */
const settling = 100;

async function ask(client, order) {
  client.send(order);
  return (await reply(client, patience)).units;
}

/**
 * One workload for all contestants, in rounds in which each has its turn, so that what disturbs the machine for a while disturbs
 * all alike.
 *
 * @returns for each contestant its figure of every round
 */
export async function measureCpu(workload, contestants, { client, members, options }) {
  const racers = [];
  for (const contestant of contestants) {
    const { child, port } = await contestant.start(members, options);
    racers.push({ child, port, figures: [] });
  }
  // The first round warms up and does not count. Who begins changes from round to round.
  for (let round = 0; round <= workload.rounds; round++) {
    for (let n = 0; n < racers.length; n++) {
      const { child, port, figures } = racers[(n + round) % racers.length];
      const before = cpuSeconds(child.pid);
      const units = await ask(client, { ...workload.order, port });
      await sleep(settling);
      const spent = cpuSeconds(child.pid) - before;
      if (round > 0) figures.push((spent * workload.scale * workload.unitSize) / units);
    }
  }
  for (const { child } of racers) await stop(child);
  return racers.map(({ figures }) => figures);
}

/** As `measureCpu`, for memory: every contestant is started afresh for each round. */
export async function measureMemory(workload, contestants, { client, members, options }) {
  const all = contestants.map(() => []);
  for (let round = 0; round < workload.rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const { child, port } = await contestant.start(members, options);
      // A few connections first, so that what is loaded and compiled once does not count.
      await ask(client, { workload: 'hold', port, connections: 100 });
      await ask(client, { workload: 'drop' });
      await sleep(settling);
      const before = residentKib(child.pid);
      await ask(client, { workload: 'hold', port, connections: workload.connections });
      await sleep(settling);
      all[index].push((residentKib(child.pid) - before) / workload.connections);
      await ask(client, { workload: 'drop' });
      await stop(child);
    }
  }
  return all;
}
