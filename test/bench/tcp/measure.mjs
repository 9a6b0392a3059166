import { setTimeout as sleep } from 'node:timers/promises';
import { ask, stop } from '../processes/process.mjs';
import { cpuSeconds, residentKib } from '../processes/usage.mjs';
import { seeded } from '../seeded.mjs';
import { shuffled } from '../shuffled.mjs';

/** No order takes longer than this, in milliseconds. */
const patience = 60_000;
/** Milliseconds for a contestant to finish what the client no longer sees, such as closing its sockets. */
const settling = 100;

/** Has the client do something, and resolves with how many units of it were done. */
async function run(client, order) {
  return (await ask(client, order, patience)).units;
}

/**
 * One workload for all contestants, in rounds in which each has its turn, in an order by lot, so that what
 * disturbs the machine for a while, or is left over from the one before, disturbs all alike.
 *
 * @param contestants what their `start` returns may have an `order`, more for the client to know
 * @returns for each contestant its figure of every round in `figures`; and in `failed` what it did wrong
 */
export async function measureCpu(workload, contestants, { client, members, options }) {
  const racers = contestants.map(() => ({ figures: [], failed: undefined }));
  const attempt = async (racer, action) => {
    if (racer.failed !== undefined) return;
    try {
      await action();
    } catch (error) {
      [racer.failed] = error.message.split('\n');
    }
  };
  for (const [index, racer] of racers.entries()) {
    await attempt(racer, async () => Object.assign(racer, await contestants[index].start(members[index], options)));
  }
  const random = seeded(3);
  for (let round = 1 - workload.warmUps; round <= workload.rounds; round++) {
    for (const racer of shuffled(racers, random)) {
      await attempt(racer, async () => {
        const { child, port, order, figures } = racer;
        const before = cpuSeconds(child.pid);
        const units = await run(client, { ...workload.order, ...order, port });
        await sleep(settling);
        const spent = cpuSeconds(child.pid) - before;
        if (round > 0) figures.push((spent * workload.scale * workload.unitSize) / units);
      });
    }
  }
  for (const { child } of racers) if (child !== undefined) await stop(child);
  return racers;
}

/** As `measureCpu`, for memory: every contestant is started afresh for each round. */
export async function measureMemory(workload, contestants, { client, members, options }) {
  const all = contestants.map(() => []);
  for (let round = 0; round < workload.rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const { child, port } = await contestant.start(members[index], options);
      // A few connections first, so that what is loaded and compiled once does not count.
      await run(client, { workload: 'hold', port, connections: 100 });
      await run(client, { workload: 'drop' });
      await sleep(settling);
      const before = residentKib(child.pid);
      await run(client, { workload: 'hold', port, connections: workload.connections });
      await sleep(settling);
      all[index].push((residentKib(child.pid) - before) / workload.connections);
      await run(client, { workload: 'drop' });
      await stop(child);
    }
  }
  return all.map((figures) => ({ figures }));
}
