import { whenFound } from '../persistence/when-found.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import type { Accounts } from './accounts.ts';
import { Affinity } from './affinity.ts';
import type { Guards } from './guards.ts';
import { type Acquired, kept } from './lease.ts';
import { type AcquireRequest, CurrentRequest } from './pick-request.ts';
import type { PoolLoad } from './pool-load.ts';
import type { PoolSettings } from './pool-spec.ts';
import { type RefusalReason, refuse } from './refusal.ts';
import type { Roster } from './roster.ts';
import { Wait } from './wait.ts';
import { type QueueStats, WaitQueue } from './wait-queue.ts';
import { whyNone } from './why-none.ts';

/** What an admission tells its pool. */
export interface AdmissionEvents {
  queueing(isQueueing: boolean): void;
  /** A user's strategy, or who waited, threw at a moment that is somebody else's. */
  strategyFailed(message: string, cause: unknown): void;
  persistenceFailed(message: string, cause: unknown): void;
}

/** How a pool's clients get their members: past its guards, to where they were before, or by the strategy's pick; or they wait. */
export class Admission<T> {
  readonly affinity: Affinity<T>;
  readonly #roster: Roster<T>;
  readonly #accounts: Accounts<T>;
  readonly #guards: Guards<T>;
  readonly #load: PoolLoad;
  readonly #events: AdmissionEvents;
  readonly #context: StrategyContext;
  readonly #request = new CurrentRequest<T>();
  #queue: WaitQueue<T> | undefined;
  #isEnabled = true;
  /** Whether there is anything to ask before a pick. */
  #isGuarded = false;

  constructor(
    roster: Roster<T>,
    accounts: Accounts<T>,
    guards: Guards<T>,
    load: PoolLoad,
    events: AdmissionEvents,
    context: StrategyContext,
  ) {
    this.#roster = roster;
    this.#accounts = accounts;
    this.#guards = guards;
    this.#load = load;
    this.#events = events;
    this.#context = context;
    this.affinity = new Affinity(context, {
      has: (member) => roster.get(member.id)?.member === member,
      failed: (message, cause) => events.persistenceFailed(message, cause),
    });
  }

  /** Undefined where there is no queue. */
  get queueStats(): QueueStats | undefined {
    return this.#queue?.stats;
  }

  /** After the guards have followed the same settings. */
  follow({ enabled, queue }: PoolSettings<T>): void {
    this.#isEnabled = enabled;
    this.#isGuarded = !enabled || this.#accounts.isGated;
    const before = this.#queue;
    if (before?.settings === queue) return;
    if (queue === undefined) {
      this.#queue = this.#load.queue = undefined;
      this.#accounts.freed = undefined;
      before?.close();
    } else if (before !== undefined) {
      before.settings = queue;
    } else {
      this.#queue = this.#load.queue = this.#newQueue(queue);
      this.#accounts.freed = (state) => {
        // One that is still at a limit helps nobody, and asking all the others would cost too much.
        if (state.hasRoom && state.circuit?.permits(false) !== false) this.#queue?.serve();
      };
    }
  }

  /** Where members stretch with the load, one that comes may be what gives room to those who wait. */
  #letOthersGoFirst(): void {
    if (this.#queue === undefined) return;
    const load = this.#load;
    load.arriving++;
    this.#queue.serve();
    load.arriving--;
  }

  /** Who may serve has changed. */
  review(): void {
    this.#queue?.serve();
  }

  acquire(request: AcquireRequest<T>): Acquired<T> {
    const cause = this.#causeAgainst(request);
    if (cause !== undefined) return this.#refuse(cause);
    if (this.#load.fullConnections !== undefined) this.#letOthersGoFirst();
    const { affinity } = this;
    const found = affinity.table === undefined ? undefined : affinity.find(request);
    let known: string | undefined;
    if (typeof found === 'string') known = found;
    // Who cannot wait is one that nobody knows.
    else if (found !== undefined) affinity.disregard(found);
    const result = this.#pick(request, known);
    return result.refused ? this.#refuse(result.reason) : result;
  }

  acquireOrWait(request: AcquireRequest<T>): Acquired<T> | Wait<T> {
    const cause = this.#causeAgainst(request);
    if (cause !== undefined) return this.#refuse(cause);
    if (this.#load.fullConnections !== undefined) this.#letOthersGoFirst();
    const { affinity } = this;
    const found = affinity.table === undefined ? undefined : affinity.find(request);
    if (found !== undefined && typeof found !== 'string') return this.#whenFound(new Wait(request), found);
    const result = this.#pick(request, found);
    if (!result.refused) return result;
    if (this.#queue === undefined || !WaitQueue.isWorthWaiting(result.reason)) return this.#refuse(result.reason);
    const wait = new Wait(request);
    wait.known = found;
    return this.#queue.join(wait) ? wait : this.#refuse('queue-full');
  }

  #whenFound(wait: Wait<T>, found: PromiseLike<string | undefined>): Wait<T> {
    // Never at once, whatever a user's promise does: the client is not there to be told yet.
    const promise = Promise.resolve(found);
    const stop = whenFound(promise, this.#context.clock, this.affinity.patience, (known, problem) => {
      if (problem !== undefined) this.affinity.notFound(problem);
      wait.known = typeof known === 'string' ? known : undefined;
      this.#goOn(wait);
    });
    wait.waitsIn(stop);
    return wait;
  }

  /** What a store knows of the client has come. */
  #goOn(wait: Wait<T>): void {
    let result: Acquired<T>;
    try {
      result = this.#attempt(wait);
    } catch (cause) {
      this.#events.strategyFailed('the strategy threw', cause);
      result = refuse('none-picked');
    }
    if (wait.isOver) return wait.end(result);
    if (result.refused && this.#queue !== undefined && WaitQueue.isWorthWaiting(result.reason)) {
      if (this.#queue.join(wait)) return;
      result = refuse('queue-full');
    }
    if (result.refused) this.#refuse(result.reason);
    try {
      wait.end(result);
    } catch (cause) {
      this.#events.strategyFailed('a client that had waited threw', cause);
    }
  }

  /** Tries again for one that has waited. Its retry was asked about when it came. */
  #attempt(wait: Wait<T>): Acquired<T> {
    if (!this.#isEnabled) return refuse('disabled');
    if (this.#isGuarded && !this.#accounts.admits) return refuse('concurrency-limit');
    return this.#pick(wait.request, wait.known);
  }

  #causeAgainst({ exclude }: AcquireRequest<T>): RefusalReason | undefined {
    if (!this.#isGuarded) return undefined;
    return this.#isEnabled ? this.#guards.causeAgainst(exclude !== undefined) : 'disabled';
  }

  /** @param known the id of the member that the client is to meet again */
  #pick(request: AcquireRequest<T>, known: string | undefined): Acquired<T> {
    const { exclude } = request;
    const { affinity } = this;
    this.#request.fill(request);
    if (known !== undefined) {
      const state = this.#roster.revisit(known, this.#request);
      if (state !== undefined) {
        const lease = this.#accounts.open(state, exclude !== undefined);
        lease.notes |= kept;
        affinity.kept++;
        return lease;
      }
    }
    const state = this.#roster.pick(this.#request);
    if (state === undefined) return refuse(whyNone(this.#roster, exclude));
    const lease = this.#accounts.open(state, exclude !== undefined);
    if (affinity.table !== undefined) {
      if (known !== undefined) affinity.moved++;
      affinity.keep(request, state.member);
    }
    return lease;
  }

  #newQueue(settings: NonNullable<PoolSettings<T>['queue']>): WaitQueue<T> {
    return new WaitQueue(settings, this.#context.clock, {
      attempt: (wait) => this.#attempt(wait),
      refused: (reason) => this.#refuse(reason),
      told: (isQueueing) => this.#events.queueing(isQueueing),
      failed: (message, cause) => this.#events.strategyFailed(message, cause),
    });
  }

  #refuse(reason: RefusalReason): Acquired<T> {
    this.#accounts.counters.rejects++;
    return refuse(reason);
  }
}
