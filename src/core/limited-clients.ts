import type { StrategyContext } from '../strategies/strategy.ts';
import { ClientLimits, type Rated } from './client-limits.ts';
import type { ClientLimitsSettings } from './client-limits-spec.ts';
import type { RefusalReason } from './refusal.ts';
import type { Session } from './session.ts';
import { isSame } from './spec.ts';
import type { ClientLimitCounts } from './vip-stats.ts';

/**
 * The clients of a virtual IP, served or waiting, and what its `clientLimits` say to them. Without limits it only keeps the list, so
 * that those who are there when limits are set count.
 */
export class LimitedClients<T> {
  readonly #sessions = new Set<Session<T>>();
  readonly #rated: Rated;
  readonly #counts: ClientLimitCounts;
  readonly #context: StrategyContext;
  #settings: ClientLimitsSettings | undefined;
  #limits: ClientLimits | undefined;

  constructor(rated: Rated, counts: ClientLimitCounts, context: StrategyContext) {
    this.#rated = rated;
    this.#counts = counts;
    this.#context = context;
  }

  /** Follows the settings: who is there already counts, and nobody is sent away. O(n) where addresses are told apart anew. */
  follow(settings: ClientLimitsSettings | undefined): void {
    if (isSame(settings, this.#settings)) return;
    this.#settings = settings;
    if (settings !== undefined && this.#limits?.adopts(settings) === true) return;
    const limits = settings && new ClientLimits(settings, this.#rated, this.#context, this.#counts);
    this.#limits = limits;
    this.#counts.follow(limits);
    for (const session of this.#sessions) {
      // Who was counted before keeps the address: its socket may not know it any more.
      session.limitedAs = limits && (session.limitedAs ?? session.client.address);
      limits?.adopt(session.limitedAs);
    }
  }

  /** Takes a client in until it has left, or says why not. */
  enter(session: Session<T>, isLocal: boolean): RefusalReason | undefined {
    if (this.#limits !== undefined) {
      const { address } = session.client;
      // Who has reset its connection already has no address any more, and would come in uncounted.
      if (address === undefined && !isLocal) return 'client-left';
      const limit = this.#limits.admit(address);
      if (limit !== undefined) return `client-${limit}`;
      session.limitedAs = address;
    }
    this.#sessions.add(session);
    return undefined;
  }

  left(session: Session<T>): void {
    this.#sessions.delete(session);
    this.#limits?.left(session.limitedAs);
  }

  /** Seconds until a client may make a request; 0 where it may now, which counts. */
  requestDelay({ limitedAs }: Session<T>): number {
    return this.#limits?.allow(limitedAs) === undefined ? 0 : this.#limits.retryAfter;
  }
}
