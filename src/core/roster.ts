import type { AgentReport } from '../health/agent/agent-report.ts';
import { AgentView } from '../health/agent/agent-view.ts';
import type { HealthMonitor } from '../health/monitor-spec.ts';
import type { Strategy, StrategyContext } from '../strategies/strategy.ts';
import { Levels } from './levels.ts';
import type { Member } from './member.ts';
import type { MemberConfig } from './member-spec.ts';
import { type MemberOwner, MemberState } from './member-state.ts';
import type { CurrentRequest } from './pick-request.ts';
import type { PanicSettings } from './priority-load.ts';
import type { MemberStatus } from './status.ts';

/** What a roster tells its pool. */
export interface RosterEvents<T> {
  added(member: Member<T>): void;
  removed(state: MemberState<T>): void;
  /** It is elsewhere now, or somebody has enabled it again: what was known of it says nothing any more. */
  startsAnew(state: MemberState<T>, by: 'new-address' | 'enabled'): void;
  statusChanged(member: Member<T>, from: MemberStatus, to: MemberStatus, reason: string): void;
  /** A picker threw when it was told of a lease. */
  readonly strategyFailed: (cause: unknown) => void;
}

/** What of a pool's settings decides who serves. */
export interface RosterSettings<T> {
  readonly strategy: Strategy<T>;
  readonly healthMonitor: HealthMonitor<T> | undefined;
  readonly overprovisioningFactor: number;
  readonly panic: PanicSettings | undefined;
  readonly fullConnections: number | undefined;
}

/**
 * A pool's members and the decision which of them may serve: the primaries that are eligible, level by level, and behind them the
 * backups. The one place that knows eligibility; strategies see only what it lets through.
 */
export class Roster<T> {
  readonly #states = new Map<string, MemberState<T>>();
  readonly #owner: MemberOwner<T>;
  readonly #events: RosterEvents<T>;
  readonly #context: StrategyContext;
  #settings: RosterSettings<T>;
  readonly #primaries: Levels<T>;
  readonly #backups: Levels<T>;
  /** Whether the pickers lag behind the members. */
  #isStale = false;
  #members: readonly Member<T>[] | undefined;
  /** How many may serve, are down, are ejected: kept up to date, so that a pool's status costs O(1). */
  #eligible = 0;
  #down = 0;
  #ejected = 0;

  constructor(owner: MemberOwner<T>, events: RosterEvents<T>, context: StrategyContext, settings: RosterSettings<T>) {
    this.#owner = owner;
    this.#events = events;
    this.#context = context;
    this.#settings = settings;
    owner.load.fullConnections = settings.fullConnections;
    this.#primaries = new Levels(settings.overprovisioningFactor, settings.panic);
    this.#backups = new Levels(settings.overprovisioningFactor, settings.panic);
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

  /** How many outlier detection keeps out. */
  get ejected(): number {
    return this.#ejected;
  }

  /** Whether, somewhere, so few are healthy that the others are used too. */
  get isPanicking(): boolean {
    return this.#primaries.isPanicking || this.#backups.isPanicking;
  }

  /** Whether clients are refused for panic. */
  get failsTraffic(): boolean {
    return this.#primaries.failsTraffic || this.#backups.failsTraffic;
  }

  get states(): Iterable<MemberState<T>> {
    return this.#states.values();
  }

  configure(settings: RosterSettings<T>): void {
    const before = this.#settings;
    this.#settings = settings;
    if (settings.strategy !== before.strategy) this.#markStale();
    if (settings.panic !== before.panic || settings.overprovisioningFactor !== before.overprovisioningFactor) {
      this.#primaries.configure(settings.overprovisioningFactor, settings.panic);
      this.#backups.configure(settings.overprovisioningFactor, settings.panic);
      this.#markStale();
    }
    if (settings.healthMonitor !== before.healthMonitor) this.#watch(settings.healthMonitor);
    if (settings.fullConnections !== before.fullConnections) {
      this.#owner.load.fullConnections = settings.fullConnections;
      for (const state of this.#states.values()) state.limitConnections();
    }
  }

  #watch(monitor: HealthMonitor<T> | undefined): void {
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
    const { healthMonitor } = this.#settings;
    const state = new MemberState(config, this.#owner);
    if (healthMonitor !== undefined) state.expectFirstCheck(healthMonitor);
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
    this.#events.removed(state);
  }

  change(state: MemberState<T>, config: MemberConfig<T>): void {
    const { healthMonitor } = this.#settings;
    const before = state.config;
    const { weight } = state;
    state.config = config;
    const isElsewhere = config.address !== before.address || config.port !== before.port;
    if (isElsewhere || config.agentPort !== before.agentPort) state.agent = undefined;
    state.limitConnections();
    state.limitCircuit();
    const isBack = config.enabled && !before.enabled;
    if (healthMonitor !== undefined && (isElsewhere || isBack)) state.expectFirstCheck(healthMonitor);
    if (isElsewhere || isBack) this.#events.startsAnew(state, isElsewhere ? 'new-address' : 'enabled');
    const isSame =
      state.weight === weight &&
      config.priority === before.priority &&
      config.zone === before.zone &&
      config.backup === before.backup &&
      config.maxConnections === before.maxConnections &&
      config.data === before.data &&
      !isElsewhere;
    if (!isSame) this.#markStale();
    this.review(state);
  }

  /** Follows what a member's agent has said; undefined for one of which nothing is known any more. */
  hear(state: MemberState<T>, report: AgentReport | undefined): void {
    const { weight, most } = state;
    if (report === undefined) state.agent = undefined;
    else {
      state.agent ??= new AgentView();
      state.agent.hear(report);
    }
    state.limitConnections();
    if (state.weight !== weight || state.most !== most) this.#markStale();
    this.review(state);
  }

  /** Makes the pool hold exactly these members; those it has already keep connections, counters and health. */
  reconcile(configs: readonly MemberConfig<T>[]): void {
    const wanted = new Set(configs.map((config) => config.id));
    for (const state of [...this.#states.values()]) if (!wanted.has(state.config.id)) this.remove(state);
    for (const config of configs) {
      const state = this.#states.get(config.id);
      if (state === undefined) this.add(config);
      else this.change(state, config);
    }
    this.#order(configs);
  }

  /** Works out what a member's axes now amount to. */
  review(state: MemberState<T>): void {
    const from = state.status;
    const { isEligible, isInService } = state;
    this.#leave(state);
    this.#enter(state);
    if (state.isEligible !== isEligible || state.isInService !== isInService) this.#markStale();
    if (state.status !== from) this.#events.statusChanged(state.member, from, state.status, state.reason);
  }

  /** Follows what changes have done to the levels; needed after each, before anybody is told. */
  settle(): void {
    // Backups that are healthy come before panic; and nobody panics for backups while there are primaries.
    const { isHealthy } = this.#primaries;
    const changesPrimaries = this.#primaries.plan(isHealthy || !this.#backups.isHealthy);
    const changesBackups = this.#backups.plan(!isHealthy);
    if (changesPrimaries || changesBackups) this.#markStale();
  }

  /** The primaries' choice; the backups' only where no primary can. */
  pick(request: CurrentRequest<T>): MemberState<T> | undefined {
    if (this.#isStale) this.#prepare();
    const { random } = this.#context;
    return this.#primaries.pick(request, random) ?? this.#backups.pick(request, random);
  }

  /** Whether there are members to pick from and all of them hold `maxConnections`. After a `pick()`. */
  get isFull(): boolean {
    if (this.#primaries.isEmpty) return this.#backups.isFull;
    return this.#primaries.isFull && (this.#backups.isEmpty || this.#backups.isFull);
  }

  /**
   * The member of that id, if a client that was on it before may stay: it serves (as a backup, even while there are others), or drains,
   * and can take one. Undefined where it may not.
   */
  revisit(id: string, request: CurrentRequest<T>): MemberState<T> | undefined {
    const state = this.#states.get(id);
    if (state === undefined || !(state.status === 'draining' || this.serves(state))) return undefined;
    if (!request.permits(state)) return undefined;
    if (this.#isStale) this.#prepare();
    return state;
  }

  callOffDrain(state: MemberState<T>): void {
    state.isDraining = false;
    for (const drain of state.drains ?? []) drain.calledOff();
  }

  /** O(n): for explaining, not for picking. */
  serving(): MemberState<T>[] {
    return [...this.#states.values()].filter((state) => this.serves(state));
  }

  /** Whether clients can come to a member: where its level panics, to all that are in service, or to none. */
  serves(state: MemberState<T>): boolean {
    if (state.level?.isPanicking !== true) return state.isEligible;
    return state.isInService && this.#settings.panic?.failTraffic !== true;
  }

  #levelsOf(state: MemberState<T>): Levels<T> {
    return state.config.backup ? this.#backups : this.#primaries;
  }

  #enter(state: MemberState<T>): void {
    const { status, reason } = state.verdict();
    state.status = status;
    state.reason = reason;
    state.isInService = state.isWanted && state.weight > 0;
    state.isEligible = status === 'online' || status === 'no-monitor';
    if (state.isEligible) this.#eligible++;
    if (status === 'error') this.#down++;
    state.isUnchecked = state.health?.isUp === false && state.health.isUnchecked;
    state.isEjected = state.ejection !== undefined;
    if (state.isEjected) this.#ejected++;
    this.#levelsOf(state).enter(state);
  }

  /** Undoes `#enter`, whatever its axes say by now. */
  #leave(state: MemberState<T>): void {
    state.level?.count(state, -1);
    state.level = undefined;
    if (state.isEligible) this.#eligible--;
    if (state.status === 'error') this.#down--;
    if (state.isEjected) this.#ejected--;
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
      if (this.serves(state)) (state.config.backup ? backups : primaries).push(state);
    }
    const { strategy } = this.#settings;
    this.#primaries.prepare(primaries, strategy, this.#context, this.#events.strategyFailed);
    this.#backups.prepare(backups, strategy, this.#context, this.#events.strategyFailed);
    this.#isStale = false;
  }
}
