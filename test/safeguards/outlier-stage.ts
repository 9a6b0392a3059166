/** A pool with outlier detection in virtual time, and clients whose leases end as the test says. */
import { VirtualClock } from '../../src/core/clock.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { Member } from '../../src/core/member.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { PoolUpdate } from '../../src/core/pool-spec.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import type { OutlierDetectionSpec } from '../../src/safeguards/outlier-spec.ts';
import type { OutlierStats } from '../../src/safeguards/outlier-stats.ts';
import { makePool, memberOf, spec, takeFrom } from '../fixtures/core.ts';

export class OutlierStage {
  readonly clock = new VirtualClock();
  readonly pool: Pool;
  /** What the pool tells of outliers, in order. */
  readonly events: string[] = [];

  constructor(outlierDetection: OutlierDetectionSpec | null = {}, settings: PoolUpdate = {}, random?: Random) {
    const bench = { clock: this.clock, random: random ?? seededRandom(1) };
    this.pool = makePool({ members: named('a', 'b'), ...settings, outlierDetection }, bench);
    const { events, pool } = this;
    pool.on('member-ejected', ({ member, cause, duration }) => events.push(`${member.id} out: ${cause}, ${duration}`));
    pool.on('member-readmitted', ({ member, by, isOnTrial }) =>
      events.push(`${member.id} in: ${by}${isOnTrial ? ', on trial' : ''}`),
    );
    pool.on('ejection-withheld', ({ member, cause, because }) =>
      events.push(`${member.id} kept: ${cause}, ${because}`),
    );
    pool.on('trial-passed', ({ member }) => events.push(`${member.id} passed`));
  }

  /** Moves time on to this instant. */
  async at(time: number): Promise<void> {
    await this.clock.advance(time - this.clock.now());
  }

  member(id: string): Member {
    return memberOf(this.pool, id);
  }

  /** Who is ejected, in the pool's order. */
  get out(): string {
    return this.pool.members
      .filter(({ ejection }) => ejection !== undefined)
      .map(({ id }) => id)
      .join();
  }

  get stats(): OutlierStats {
    const { outlierStats } = this.pool;
    if (outlierStats === undefined) throw new Error('outlier detection is off');
    return outlierStats;
  }

  /** A client of HTTP that the member has not answered yet. */
  request(id: string): Lease {
    const lease = takeFrom(this.pool, id);
    lease.connectedForRequest();
    return lease;
  }

  /** So many requests, one after the other, that the member answers with this status. */
  answers(id: string, status: number, times = 1): void {
    for (let time = 0; time < times; time++) answer(this.request(id), status);
  }

  /** So many clients, one after the other, for whom the member cannot be connected to. */
  refuses(id: string, times = 1): void {
    for (let time = 0; time < times; time++) takeFrom(this.pool, id).release('failure');
  }

  /** A client of TCP that is connected. */
  connection(id: string): Lease {
    const lease = takeFrom(this.pool, id);
    lease.connected();
    return lease;
  }

  /** So many clients of TCP, one after the other, whose connection stands and breaks. */
  breaks(id: string, times = 1): void {
    for (let time = 0; time < times; time++) this.connection(id).release('failure');
  }
}

export function answer(lease: Lease, status: number): void {
  lease.countResponse(status);
  lease.release();
}

export function named(...ids: readonly string[]): ReturnType<typeof spec>[] {
  return ids.map((id, index) => spec(id, { port: 1000 + index }));
}
