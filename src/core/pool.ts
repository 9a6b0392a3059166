import type { AgentCheck } from '../health/agent/agent-check.ts';
import type { HealthMonitor } from '../health/monitor-spec.ts';
import type { ProbeFactory } from '../health/monitoring.ts';
import type { Slots } from '../health/slots.ts';
import type { HttpPersistence, Persistence } from '../persistence/persistence.ts';
import { refuseOverTcp } from '../persistence/persistence-spec.ts';
import type { OutlierStats } from '../safeguards/outlier-stats.ts';
import type { SheddingCause } from '../safeguards/shedding.ts';
import type { Strategy, StrategyContext } from '../strategies/strategy.ts';
import type { MemberTls } from '../tls/member-tls.ts';
import { Accounts } from './accounts.ts';
import { Admission } from './admission.ts';
import type { PersistenceStats } from './affinity.ts';
import { Checks } from './checks.ts';
import type { DrainOptions, DrainResult } from './drain.ts';
import { Emitter } from './emitter.ts';
import { EvenkeelError, NotFoundError, SpecError } from './errors.ts';
import { Guards } from './guards.ts';
import type { KeepAlive } from './keep-alive-spec.ts';
import type { Acquired } from './lease.ts';
import { type Member, stateOf } from './member.ts';
import { type DeskOwner, MemberDesk } from './member-desk.ts';
import { type MemberSpec, readMember } from './member-spec.ts';
import { outlierHost } from './outlier-host.ts';
import type { AcquireRequest } from './pick-request.ts';
import type { PoolEvents } from './pool-events.ts';
import { PoolLoad } from './pool-load.ts';
import {
  keepingWhatIsSame,
  type PoolChange,
  type PoolConfig,
  type PoolSettings,
  type PoolUpdate,
  readPoolUpdate,
} from './pool-spec.ts';
import { Roster } from './roster.ts';
import type { ConcurrencyLimitStats, RetryBudgetStats } from './safeguard-stats.ts';
import type { SendProxyProtocol } from './send-proxy-protocol.ts';
import type { Stats } from './stats.ts';
import type { OperatingStatus } from './status.ts';
import type { Protocol } from './vip-spec.ts';
import type { Wait } from './wait.ts';
import type { QueueStats } from './wait-queue.ts';

const noRequest: AcquireRequest<never> = {};

/** Members that serve identical content, and the strategy that spreads clients over them. */
export class Pool<T = unknown> extends Emitter<PoolEvents<T>> {
  readonly name: string;
  /** Live counters. They outlive the members: what a removed one served still counts. */
  readonly stats: Stats;
  readonly #context: StrategyContext;
  readonly #roster: Roster<T>;
  readonly #desk: MemberDesk<T>;
  readonly #accounts: Accounts<T>;
  readonly #load: PoolLoad;
  readonly #checks: Checks<T>;
  readonly #guards: Guards<T>;
  readonly #admission: Admission<T>;
  readonly #followers = new Set<(settings: PoolSettings<T>) => void>();
  #settings: PoolSettings<T>;
  /** How many virtual IPs of TCP lead here. */
  #tcpVips = 0;
  /** Changes that are under way, one within the other. */
  #changes = 0;
  /** What the last events told. */
  #toldStatus: OperatingStatus;
  #toldPanic: boolean;

  /** @internal pools are made by `createVip()`, `createPool()` and `Balancer` */
  constructor({ members, ...settings }: PoolConfig<T>, context: StrategyContext) {
    super();
    this.name = settings.name;
    this.#context = context;
    this.#settings = settings;
    this.#accounts = new Accounts(context.clock, (message, cause) => this.#blame(message, cause));
    this.#load = new PoolLoad(this.#accounts.counters);
    this.#desk = new MemberDesk(this.#deskOwner());
    this.#roster = new Roster(
      this.#desk,
      {
        added: (member) => {
          this.#admission.affinity.joined(member);
          this.emit('member-added', { member });
        },
        removed: (state) => {
          this.#admission.affinity.forget(state.member);
          this.#guards.outliers?.removed(state);
          this.emit('member-removed', { member: state.member });
        },
        startsAnew: (state, by) => this.#guards.outliers?.startsAnew(state, by),
        statusChanged: (member, from, to, reason) => this.emit('member-status', { member, from, to, reason }),
        strategyFailed: (cause) => this.#blame('the strategy threw when told of a lease', cause),
      },
      context,
      settings,
    );
    this.#checks = new Checks(this, this.#roster, () => this.#change(), context);
    this.#guards = new Guards(
      this.#accounts,
      outlierHost(this, this.#roster, () => this.#change()),
      (change) => this.emit('shedding', change),
      context,
    );
    this.#admission = new Admission(
      this.#roster,
      this.#accounts,
      this.#guards,
      this.#load,
      {
        queueing: (isQueueing) => this.emit('queueing', { isQueueing }),
        strategyFailed: (message, cause) => this.#blame(message, cause),
        persistenceFailed: (message, cause) => this.#persistenceFailed(message, cause),
      },
      context,
    );
    this.#remember(settings);
    this.stats = this.#accounts.counters;
    for (const member of members) this.#roster.add(member);
    this.#roster.settle();
    this.#guard();
    this.#toldStatus = this.status;
    this.#toldPanic = this.isPanicking;
  }

  /** The members, in order. A list that does not change; the next change of membership makes a new one. */
  get members(): readonly Member<T>[] {
    return this.#roster.members;
  }

  get strategy(): Strategy<T> {
    return this.#settings.strategy;
  }

  get healthMonitor(): HealthMonitor<T> | undefined {
    return this.#settings.healthMonitor;
  }

  get agentCheck(): AgentCheck | undefined {
    return this.#settings.agentCheck;
  }

  /** How connections to the members of an HTTP virtual IP are kept. */
  get keepAlive(): KeepAlive {
    return this.#settings.keepAlive;
  }

  /** How many connections make it full for members with `minConnections`; undefined where nobody said. */
  get fullConnections(): number | undefined {
    return this.#settings.fullConnections;
  }

  /** How connections to the members speak TLS, without what is secret; undefined where they do not. One object until it is changed. */
  get tls(): MemberTls | undefined {
    return this.#settings.tls;
  }

  /** The PROXY header that members get; undefined where they get none. One object until it is changed. */
  get proxyProtocol(): SendProxyProtocol | undefined {
    return this.#settings.proxyProtocol;
  }

  /** What keeps clients on their members; undefined where nothing does. */
  get persistence(): Persistence<T> | undefined {
    return this.#settings.persistence;
  }

  /** What it remembers and what came of it, a copy of this moment; undefined where there is none. */
  get persistenceStats(): PersistenceStats | undefined {
    return this.#admission.affinity.stats;
  }

  /** @internal its part in messages, for adapters of HTTP; undefined where it has none */
  get httpPersistence(): HttpPersistence<T> | undefined {
    return this.#admission.affinity.http;
  }

  /** Who waits, and what became of those who did, a copy of this moment; undefined where there is no `queue`. */
  get queueStats(): QueueStats | undefined {
    return this.#admission.queueStats;
  }

  get enabled(): boolean {
    return this.#settings.enabled;
  }

  /**
   * `offline` where disabled; `error` where there are members and none is healthy (a pool in panic may serve all the same);
   * `degraded` where one is and another is down; else `online`, also when empty. Octavia's rules.
   */
  get status(): OperatingStatus {
    if (!this.enabled) return 'offline';
    const { size, eligible, down } = this.#roster;
    if (size > 0 && eligible === 0) return 'error';
    return down > 0 ? 'degraded' : 'online';
  }

  /** Whether so few members are healthy that `panic` has taken effect, in one level of priority at least. */
  get isPanicking(): boolean {
    return this.#roster.isPanicking;
  }

  /** What outlier detection has done, a copy of this moment; undefined where it is off. */
  get outlierStats(): OutlierStats | undefined {
    return this.#guards.outliers?.stats;
  }

  /** What the retry budget has left and has refused; undefined where there is none. */
  get retryBudgetStats(): RetryBudgetStats | undefined {
    return this.#guards.retryBudgetStats;
  }

  /** Where the adaptive limit stands and what it has refused; undefined where there is none. */
  get concurrencyLimitStats(): ConcurrencyLimitStats | undefined {
    return this.#guards.concurrencyLimitStats;
  }

  /** The safeguards that turn leases away, at the moment or within the last second. */
  get shedding(): readonly SheddingCause[] {
    return this.#guards.shedding;
  }

  get(id: string): Member<T> | undefined {
    return this.#roster.get(id)?.member;
  }

  /** Adds a member; it may serve at once. Throws `SpecError` where the spec is bad or the id is taken. */
  add(spec: MemberSpec<T>): Member<T> {
    const config = readMember<T>(spec, '');
    if (this.#roster.get(config.id) !== undefined) {
      throw new SpecError('id', config.id, `an id that pool '${this.name}' does not have`);
    }
    using _change = this.#change();
    return this.#roster.add(config);
  }

  /** Removes a member: no new clients, while those it has go on. Says whether there was one. */
  remove(id: string): boolean {
    const state = this.#roster.get(id);
    return state !== undefined && this.#desk.removeMember(state);
  }

  /**
   * Changes what is named and keeps the rest. Throws `SpecError` and changes nothing where a value is bad. Members that stay
   * keep their connections, counters and health.
   */
  update(change: PoolUpdate<T>): void {
    const wanted = readPoolUpdate<T>(change, this.#settings);
    refuseOverTcp(wanted.persistence, this.#tcpVips > 0 ? 'tcp' : 'http', 'persistence');
    this.prepareChange(wanted);
    // Before anything has changed, since a user's may throw.
    this.#remember(keepingWhatIsSame(this.#settings, wanted));
    this.applyChange(wanted);
  }

  /** @internal a virtual IP leads here from now on, or does not any more */
  ledTo(protocol: Protocol, leads: boolean): void {
    if (protocol === 'tcp') this.#tcpVips += leads ? 1 : -1;
  }

  /** @internal throws `SpecError` where the change asks for what this machine cannot do; else, nothing changes yet */
  prepareChange(wanted: PoolSettings<T>): void {
    const settings = keepingWhatIsSame(this.#settings, wanted);
    for (const prepare of this.#followers) prepare(settings);
    this.#checks.prepare(settings.healthMonitor);
  }

  /**
   * @internal has an adapter get ready for settings that may come into force, until the returned handle is disposed
   *
   * @param prepare throws `SpecError` where it cannot do what they want
   */
  follow(prepare: (settings: PoolSettings<T>) => void): Disposable {
    this.#followers.add(prepare);
    return { [Symbol.dispose]: () => this.#followers.delete(prepare) };
  }

  /**
   * @internal the second half of `update()`, for a change that is checked already and cannot be stopped any more: a user's persistence
   * that does not start is told of, and the pool keeps what it had
   */
  applyChange({ members, ...wanted }: PoolChange<T>): void {
    this.prepareChange(wanted);
    using _change = this.#change();
    const before = this.#settings;
    let settings = keepingWhatIsSame(before, wanted);
    try {
      this.#remember(settings);
    } catch (cause) {
      this.#persistenceFailed('the persistence did not start', cause);
      settings = { ...settings, persistence: before.persistence };
    }
    this.#settings = settings;
    this.#roster.configure(settings);
    if (members !== undefined) this.#roster.reconcile(members);
    this.#guard();
    this.#checks.follow(before, settings);
  }

  /**
   * Takes no new clients on a member and waits until its last connection has ended, or the deadline has ended it. The member
   * stays in the pool, `draining`, until it is removed, or enabled again by `member.update({ enabled: true })`, which calls the
   * drain off.
   *
   * Rejects with `NotFoundError`, `SpecError`, or the signal's reason.
   */
  async drain(id: string, options: DrainOptions = {}): Promise<DrainResult> {
    const state = this.#roster.get(id);
    if (state === undefined) throw new NotFoundError(id);
    return this.#desk.drainMember(state, options);
  }

  /**
   * Picks a member for a client and takes a lease on it, or says why there is none. O(1) to O(log n) by strategy; never waits: where a
   * user's `persistence` would have to look a client up, it is treated as one that is not known. What a user-written strategy throws
   * comes out here.
   */
  acquire(request: AcquireRequest<T> = noRequest): Acquired<T> {
    return this.#admission.acquire(request);
  }

  /**
   * As `acquire()`, but where every member is busy and the pool has a `queue`, or where its `persistence` looks clients up elsewhere,
   * the client waits. `whenOver` of what is returned then is called once there is a `result`; `cancel()` calls it off.
   *
   * @param request is asked again while it waits, and must not change until that is over
   */
  acquireOrWait(request: AcquireRequest<T> = noRequest): Acquired<T> | Wait<T> {
    return this.#admission.acquireOrWait(request);
  }

  /**
   * Runs the pool's health monitor and agent check, now and after every change of them, until the returned handle (or the last of
   * several) is disposed. Adapters call this; the pool runs one set of checks however many virtual IPs share it.
   *
   * @param probes makes the probe that a monitor's `type` names
   * @param slots places for checks that this pool shares with others, beside its own `maxConcurrentChecks`
   */
  startChecks(probes: ProbeFactory, slots?: Slots): Disposable {
    return this.#checks.start(probes, slots);
  }

  /**
   * Tells the pool what a check of a member found; the monitor's thresholds decide what follows. For checkers that run
   * elsewhere. Without a monitor, or for a member that is gone, nothing happens.
   */
  recordCheck(member: Member<T>, passed: boolean, reason: string): void {
    const state = stateOf(member);
    if (state.health === undefined || !this.#roster.has(state)) return;
    using _change = this.#change();
    state.health.record(passed);
    state.healthReason = reason;
    if (passed) this.#guards.outliers?.checkPassed(state);
    this.#roster.review(state);
  }

  #deskOwner(): DeskOwner<T> {
    const roster = (): Roster<T> => this.#roster;
    return {
      get roster() {
        return roster();
      },
      clock: this.#context.clock,
      load: this.#load,
      change: () => this.#change(),
      drainExpired: (member, remaining) => this.emit('drain-expired', { member, remaining }),
    };
  }

  /** Brackets a change: its events are told once it is complete, after the pool's own status has followed. */
  #change(): Disposable {
    const hold = this.hold();
    this.#changes++;
    return {
      [Symbol.dispose]: () => {
        const { eligible, ejected } = this.#roster;
        if (this.#changes === 1 && eligible === 0 && ejected > 0) this.#guards.outliers?.readmitLast();
        this.#changes--;
        if (this.#changes > 0) return hold[Symbol.dispose]();
        this.#roster.settle();
        this.#tellPanic();
        const from = this.#toldStatus;
        const to = this.status;
        this.#toldStatus = to;
        if (to !== from) this.emit('status', { from, to });
        hold[Symbol.dispose]();
        this.#admission.review();
      },
    };
  }

  #tellPanic(): void {
    const { isPanicking } = this;
    if (isPanicking === this.#toldPanic) return;
    this.#toldPanic = isPanicking;
    this.emit('panic', { isPanicking });
  }

  /** Has the safeguards follow the settings. */
  #guard(): void {
    this.#guards.follow(this.#settings, this.#checks.observer());
    this.#admission.follow(this.#settings);
  }

  #remember({ persistence }: PoolSettings<T>): void {
    this.#admission.affinity.follow(persistence, this.members);
  }

  #persistenceFailed(message: string, cause: unknown): void {
    this.emit('persistence-error', new EvenkeelError('ERR_EVENKEEL_PERSISTENCE', message, { cause }));
  }

  #blame(message: string, cause: unknown): void {
    this.emit('strategy-error', new EvenkeelError('ERR_EVENKEEL_STRATEGY', message, { cause }));
  }
}
