import type { VirtualClock } from '../../src/core/clock.ts';
import type { Member } from '../../src/core/member.ts';
import type { AcquireRequest } from '../../src/core/pick-request.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { Random } from '../../src/core/random.ts';
import type { Persistence, PersistenceTable } from '../../src/persistence/persistence.ts';
import { whenFound } from '../../src/persistence/when-found.ts';
import { settled } from '../fixtures/core.ts';

export interface Stage {
  readonly clock: VirtualClock;
  readonly random: Random;
}

/** A request with these cookies, of the client at this address. */
export function asking(cookie: string | undefined, clientAddress?: string): AcquireRequest {
  return { clientAddress, header: (name) => (name === 'cookie' ? cookie : undefined) };
}

/** A table that knows the pool's members. */
export function started<T>(persistence: Persistence<T>, stage: Stage, pool: Pool<T>): PersistenceTable<T> {
  const table = persistence.start(stage);
  for (const member of pool.members) table.joined?.(member);
  pool.on('member-added', ({ member }) => table.joined?.(member));
  pool.on('member-removed', ({ member }) => table.forget?.(member));
  return table;
}

/** What a pool is to do with its persistence, put plainly: the member that a client gets, and whether it had it before. */
export async function serve<T>(
  pool: Pool<T>,
  table: PersistenceTable<T>,
  request: AcquireRequest<T>,
  { clock }: Stage,
): Promise<{ member: Member<T>; isKept: boolean }> {
  const found = table.find(request);
  const id = typeof found === 'object' ? await answerOf(found, clock) : found;
  const known = id === undefined ? undefined : pool.get(id);
  if (known !== undefined && mayKeep(known) && request.exclude?.includes(known) !== true) {
    return { member: known, isKept: true };
  }
  const lease = pool.acquire(request);
  if (lease.refused) throw new Error(`refused: ${lease.reason}`);
  lease.release();
  const { member } = lease;
  await table.keep(request, member);
  return { member, isKept: false };
}

function mayKeep({ status }: Member<unknown>): boolean {
  return status === 'online' || status === 'no-monitor' || status === 'draining';
}

async function answerOf(found: PromiseLike<string | undefined>, clock: VirtualClock): Promise<string | undefined> {
  let answer: string | undefined;
  whenFound(found, clock, 1000, (id) => {
    answer = id;
  });
  await settled();
  return answer;
}
