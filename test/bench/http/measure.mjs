import { setTimeout as sleep } from 'node:timers/promises';
import { ask, stop } from '../processes/process.mjs';
import { cpuSeconds } from '../processes/usage.mjs';
import { seeded } from '../seeded.mjs';
import { shuffled } from '../shuffled.mjs';

/** The client gives up earlier, in milliseconds. */
const patience = 30_000;
/** Milliseconds for a contestant to finish what the client no longer sees, such as closing its sockets. */
const settling = 50;

/**
 * One workload for all contestants, in rounds in which each has its turn, in an order by lot, so that what disturbs the machine for
 * a while disturbs all alike. Opening the kept connections is no part of what is measured.
 *
 * @returns for each contestant its `rounds`, and in `failed` what it did wrong
 */
export async function measure(workload, contestants, { client, members, options }) {
  const racers = [];
  for (const [index, contestant] of contestants.entries()) {
    const { child, port } = await contestant.start(members[index], options);
    racers.push({ child, port, rounds: [], failed: undefined });
  }
  const turn = async (racer, action) => {
    if (racer.failed !== undefined) return;
    try {
      await ask(client, { what: 'open', workload: workload.name, port: racer.port, count: workload.count }, patience);
      await action(racer);
      await ask(client, { what: 'close' }, patience);
    } catch (error) {
      racer.failed = error.message;
    }
  };
  const rush = { what: 'rush', milliseconds: workload.rush };
  for (const racer of racers)
    await turn(racer, () => ask(client, { ...rush, milliseconds: workload.warmUp }, patience));
  const random = seeded(3);
  for (let round = 1; round <= workload.rounds; round++) {
    const pace = { what: 'pace', rate: workload.rate, milliseconds: workload.pace, seed: round };
    for (const racer of shuffled(racers, random)) {
      await turn(racer, async ({ child, rounds }) => {
        const full = await cost(child, client, rush);
        const paced = await cost(child, client, pace);
        rounds.push({ full, paced });
      });
    }
  }
  for (const { child } of racers) await stop(child);
  return racers;
}

/** What an order has come to, with the CPU that each of its requests took of the contestant, in microseconds. */
async function cost(child, client, order) {
  const before = cpuSeconds(child.pid);
  const outcome = await ask(client, order, patience);
  await sleep(settling);
  return { ...outcome, cpu: ((cpuSeconds(child.pid) - before) * 1e6) / outcome.units };
}
