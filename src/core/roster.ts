import type { HealthMonitor } from '../health/monitor-spec.ts';
import type { Strategy, StrategyContext } from '../strategies/strategy.ts';
import type { LeaseBooks, Outcome } from './lease.ts';
import type { Member } from './member.ts';
import type { MemberConfig } from './member-spec.ts';
import { type MemberOwner, MemberState } from './member-state.ts';
import type { CurrentRequest } from './pick-request.ts';
import { Counters } from './stats.ts';
import type { MemberStatus } from './status.ts';
import { Tier } from './tier.ts';

/** What a roster tells its pool. */
export interface RosterEvents<T> {
  added(member: Member<T>): void;
  removed(member: Member<T>): void;
  statusChanged(member: Member<T>, from: MemberStatus, to: MemberStatus, reason: string): void;
  /** A picker threw when it was told of a lease. */
  readonly strategyFailed: (cause: unknown) => void;
}

/**
 * A pool's members and the decision which of them may serve: the primaries that are eligible, and behind them the backups.
 * The one place that knows eligibility; strategies see only what it lets through.
 */
export class Roster<T> implements LeaseBooks<T> {
  readonly counters: Counters = new Counters();
  readonly #states = new Map<string, MemberState<T>>();
  readonly #owner: MemberOwner<T>;
  readonly #events: RosterEvents<T>;
  readonly #context: StrategyContext;
  #strategy: Strategy<T>;
  #monitor: HealthMonitor<T> | undefined;
  #primaries: Tier<T> | undefined;
  #backups: Tier<T> | undefined;
  /** Whether the tiers lag behind the members. */
  #isStale = false;
  #members: readonly Member<T>[] | undefined;
  /** How many a strategy gets to see, and how many are down: kept up to date, so that a pool's status costs O(1). */
  #eligible = 0;
  #down = 0;

  constructor(
    owner: MemberOwner<T>,
    events: RosterEvents<T>,
    context: StrategyContext,
    strategy: Strategy<T>,
    monitor: HealthMonitor<T> | undefined,
  ) {
    this.#owner = owner;
    this.#events = events;
    this.#context = context;
    this.#strategy = strategy;
    this.#monitor = monitor;
  }

  get members(): readonly Member<T>[] {
    this.#members ??= Object.freeze(Array.from(this.#states.values(), (state) => state.member));
    return this.#members;
  }

  get size(): number {
    return this.#states.size;
  }

  get eligible(): number {
    return this.#eligible;
  }

  get down(): number {
    return this.#down;
  }

  get strategy(): Strategy<T> {
    return this.#strategy;
  }

  set strategy(strategy: Strategy<T>) {
    if (strategy === this.#strategy) return;
    this.#strategy = strategy;
    this.#markStale();
  }

  get monitor(): HealthMonitor<T> | undefined {
    return this.#monitor;
  }

  set monitor(monitor: HealthMonitor<T> | undefined) {
    this.#monitor = monitor;
    for (const state of this.#states.values()) {
      if (monitor === undefined) state.health = undefined;
      else if (state.health === undefined) state.expectFirstCheck(monitor);
      else state.health.retune(monitor);
      this.review(state);
    }
  }

  get(id: string): MemberState<T> | undefined {
    return this.#states.get(id);
  }

  /** Whether it still is a member, and not one that was removed and perhaps replaced under the same id. */
  has(state: MemberState<T>): boolean {
    return this.#states.get(state.config.id) === state;
  }

  add(config: MemberConfig<T>): Member<T> {
    const state = new MemberState(config, this.#owner);
    if (this.#monitor !== undefined) state.expectFirstCheck(this.#monitor);
    this.#states.set(config.id, state);
    this.#members = undefined;
    this.#enter(state);
    this.#markStale();
    this.#events.added(state.member);
    return state.member;
  }

  remove(state: MemberState<T>): void {
    this.#states.delete(state.config.id);
    this.#members = undefined;
    this.#leave(state);
    state.tier = undefined;
    this.#markStale();
    this.#events.removed(state.member);
  }

  configure(state: MemberState<T>, config: MemberConfig<T>): void {
    const before = state.config;
    state.config = config;
    state.limit = config.maxConnections;
    const isElsewhere = config.address !== before.address || config.port !== before.port;
    const isBack = config.enabled && !before.enabled;
    if (this.#monitor !== undefined && (isElsewhere || isBack)) state.expectFirstCheck(this.#monitor);
    const isSame =
      config.weight === before.weight &&
      config.backup === before.backup &&
      config.maxConnections === before.maxConnections &&
      config.data === before.data &&
      !isElsewhere;
    if (!isSame) this.#markStale();
    this.review(state);
  }

  /** Makes the pool hold exactly these members; those it has already keep connections, counters and health. */
  reconcile(configs: readonly MemberConfig<T>[]): void {
    const wanted = new Set(configs.map((config) => config.id));
    for (const state of [...this.#states.values()]) if (!wanted.has(state.config.id)) this.remove(state);
    for (const config of configs) {
      const state = this.#states.get(config.id);
      if (state === undefined) this.add(config);
      else this.configure(state, config);
    }
    this.#order(configs);
  }

  /** Works out what a member's axes now amount to. */
  review(state: MemberState<T>): void {
    const from = state.status;
    const wasEligible = state.isEligible;
    this.#leave(state);
    this.#enter(state);
    if (state.isEligible !== wasEligible) this.#markStale();
    if (state.status !== from) this.#events.statusChanged(state.member, from, state.status, state.reason);
  }

  /** The first tier's choice; the backups' only where no primary can. */
  pick(request: CurrentRequest<T>): MemberState<T> | undefined {
    if (this.#isStale) this.#prepare();
    return this.#primaries?.pick(request) ?? this.#backups?.pick(request);
  }

  callOffDrain(state: MemberState<T>): void {
    state.isDraining = false;
    for (const drain of state.drains) drain.calledOff();
  }

  acquired(state: MemberState<T>, isRetry: boolean): void {
    state.counters.activeConnections++;
    this.counters.activeConnections++;
    if (isRetry) {
      state.counters.retries++;
      this.counters.retries++;
    }
    state.tier?.acquired(state);
  }

  released(state: MemberState<T>, outcome: Outcome): void {
    state.counters.activeConnections--;
    this.counters.activeConnections--;
    state.tier?.released(state, outcome);
    if (state.counters.activeConnections === 0 && state.drains.size > 0) {
      for (const drain of state.drains) drain.idle();
    }
  }

  /** O(n): for explaining, not for picking. */
  eligibleStates(): MemberState<T>[] {
    return [...this.#states.values()].filter((state) => state.isEligible);
  }

  #enter(state: MemberState<T>): void {
    const { status, reason } = state.verdict();
    state.status = status;
    state.reason = reason;
    state.isEligible = status === 'online' || status === 'no-monitor';
    if (state.isEligible) this.#eligible++;
    if (status === 'error') this.#down++;
  }

  #leave(state: MemberState<T>): void {
    if (state.isEligible) this.#eligible--;
    if (state.status === 'error') this.#down--;
  }

  #order(configs: readonly MemberConfig<T>[]): void {
    const isSameOrder = configs.every(({ id }, index) => this.members[index]?.id === id);
    if (isSameOrder) return;
    this.#markStale();
    for (const { id } of configs) {
      const state = this.#states.get(id) as MemberState<T>;
      this.#states.delete(id);
      this.#states.set(id, state);
    }
    this.#members = undefined;
  }

  /** Pickers are prepared when a change has settled, off the path of any client that does not come in between. */
  #markStale(): void {
    if (this.#isStale) return;
    this.#isStale = true;
    queueMicrotask(() => {
      try {
        if (this.#isStale) this.#prepare();
      } catch {
        // A user's strategy threw. It is asked again for the next client, whose caller gets to see the error.
      }
    });
  }

  #prepare(): void {
    const primaries: MemberState<T>[] = [];
    const backups: MemberState<T>[] = [];
    for (const state of this.#states.values()) {
      state.tier = undefined;
      if (state.isEligible) (state.config.backup ? backups : primaries).push(state);
    }
    this.#primaries = this.#tier(primaries, this.#primaries);
    this.#backups = this.#tier(backups, this.#backups);
    this.#isStale = false;
  }

  #tier(states: readonly MemberState<T>[], previous: Tier<T> | undefined): Tier<T> {
    const members = states.map((state) => state.member);
    const picker =
      members.length === 0 ? previous?.picker : this.#strategy.prepare(members, previous?.picker, this.#context);
    const tier = new Tier(states, picker, this.#events.strategyFailed);
    for (const state of states) state.tier = tier;
    return tier;
  }
}
