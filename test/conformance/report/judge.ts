import { setTimeout as sleep } from 'node:timers/promises';
import { Hung } from '../progress.ts';
import type { Row } from '../row.ts';
import { Stage, type StageOptions } from '../stage.ts';
import type { Contestant } from './contestants.ts';
import type { ProxyProcess } from './proxy-process.ts';

type Outcome = 'pass' | 'fail' | 'hung' | 'crashed' | 'not offered';

export interface Verdict {
  readonly outcome: Outcome;
  /** In a few words, where it is no pass. */
  readonly reason: string;
}

const patience = 1500;
/** A row waits a few times, and each wait is bounded. */
const deadline = 15_000;

/** Plays a row against a contestant. Whatever that does to it, the next row finds it in order. */
export async function judge(row: Row, { name, offers }: Contestant, proxy: ProxyProcess): Promise<Verdict> {
  if (row.needs !== undefined && !offers.includes(row.needs)) return { outcome: 'not offered', reason: 'not offered' };
  const options = { inserts: row.needs === 'insertion', patience, isExact: name === 'evenkeel' };
  const ended = new AbortController();
  const late = sleep(deadline, undefined, { signal: ended.signal }).then(() => {
    throw new Hung(`not done after ${deadline} ms`);
  });
  const { death } = proxy;
  // It is to lose the race.
  late.catch(() => {});
  try {
    await Promise.race([play(row, proxy, options), late, death]);
    return { outcome: 'pass', reason: '' };
  } catch (error) {
    // What a row saw of a crash, as its first sign, is not worth as much as the crash.
    const crash = await Promise.race([death.catch((crashed: Error) => crashed), sleep(50, undefined)]);
    const { name: kind, message } = crash ?? (error as Error);
    const outcome = kind === 'Crashed' ? 'crashed' : kind === 'Hung' ? 'hung' : 'fail';
    if (outcome !== 'fail') proxy.kill();
    return { outcome, reason: message };
  } finally {
    ended.abort();
  }
}

async function play(row: Row, proxy: ProxyProcess, options: StageOptions): Promise<void> {
  const stage = await Stage.open(proxy.start, options);
  try {
    await row.run(stage);
  } finally {
    // Where this fails, too, it says more than the row: the proxy is gone.
    await stage[Symbol.asyncDispose]();
  }
}
