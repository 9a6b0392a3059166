import { Circuit } from '../core/circuit.ts';
import { setBackgroundTimeout, type Timer } from '../core/clock.ts';
import type { Lease } from '../core/lease.ts';
import type { MemberState } from '../core/member-state.ts';
import type { Verdict } from '../core/verdict.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import { type EjectionHost, OutlierEjector } from './outlier-ejector.ts';
import type { ReadmissionCause } from './outlier-events.ts';
import { outliersAmong, type Rated, ratedBy } from './outlier-rates.ts';
import { never, OutlierRecord, type Tally } from './outlier-record.ts';
import type { OutlierDetection } from './outlier-spec.ts';
import type { OutlierStats } from './outlier-stats.ts';

/** What the detector asks of its pool. */
export interface OutlierHost<T> extends EjectionHost<T> {
  /** All members. */
  readonly states: Iterable<MemberState<T>>;
}

/** Stands for a number of failures in a row that is not watched. */
const off = Number.POSITIVE_INFINITY;

/**
 * Finds the members of a pool whose leases end badly, has them ejected, and has them let in again.
 *
 * Source: Envoy, `source/common/upstream/outlier_detection_impl.cc`. Different here: how many are ejected is limited by level of
 * priority, not over all of them; one may always be (as in gRFC A50), never the last healthy one; an ejection ends at its time, not
 * at the next interval; leases that were taken before or during an ejection do not count after it; and members can be on trial
 * after it (Finagle's `FailureAccrualFactory`).
 *
 * A lease costs counters, some 5 ns, and no look at the clock: what has to be told apart in time (a lease from before an ejection, a
 * connection that has lasted for long) is told apart by epochs, which count such events. Two timers, both in the background: one
 * while members are ejected, one while leases end, so that an idle pool has none.
 */
export class OutlierDetector<T> {
  /** What a lease that is taken now is to remember. */
  epoch = 0;
  readonly #host: OutlierHost<T>;
  readonly #context: StrategyContext;
  readonly #ejector: OutlierEjector<T>;
  #settings: OutlierDetection;
  #isSplit = false;
  #mostFailures = off;
  #mostGatewayFailures = off;
  #mostLocalFailures = off;
  /** Leases from before were taken when nobody looked. */
  #since = 0;
  /** The epochs in which this interval began, and the one before. */
  #thisInterval = 0;
  #lastInterval = 0;
  #isTicking = false;
  #timer: Timer;
  /** The clock's time at which this interval began. */
  #tickedAt = 0;

  constructor(host: OutlierHost<T>, context: StrategyContext, settings: OutlierDetection) {
    this.#host = host;
    this.#context = context;
    this.#settings = settings;
    this.#ejector = new OutlierEjector(host, context, settings, (state) => this.#restart(state));
    this.start(settings);
  }

  /** A copy of this moment. */
  get stats(): OutlierStats {
    return this.#ejector.stats;
  }

  /** From now on, and after a `stop()`. */
  start(settings: OutlierDetection): void {
    this.#since = this.#thisInterval = this.#lastInterval = ++this.epoch;
    this.tune(settings);
  }

  /** Members that are ejected stay so, for as long as they were to; what was counted stays as well, where it still means the same. */
  tune(settings: OutlierDetection): void {
    this.#settings = this.#ejector.settings = settings;
    this.#mostFailures = settings.consecutiveFailures || off;
    this.#mostGatewayFailures = settings.consecutiveGatewayFailures || off;
    this.#mostLocalFailures = settings.consecutiveLocalOriginFailures || off;
    if (settings.splitLocalOrigin !== this.#isSplit) {
      this.#isSplit = settings.splitLocalOrigin;
      for (const state of this.#host.states) this.#restart(state);
    }
    if (settings.halfOpen === 0) this.#ejector.endTrials();
    if (this.#isTicking) this.#tickAfter(this.#tickedAt + settings.interval - this.#context.clock.now());
  }

  /** Lets everybody in, and forgets all but the statistics. */
  stop(): void {
    this.#ejector.releaseAll();
    for (const state of this.#host.states) state.outlier = undefined;
    this.#context.clock.clearTimeout(this.#timer);
    this.#isTicking = false;
  }

  /** A connection stands, and nothing more will be told of it before it ends: a success, as long as it does not break. */
  connected(lease: Lease<T>): void {
    const { state } = lease;
    const record = state.outlier ?? this.#enrol(state);
    if (lease.epoch < record.since) return;
    if (!this.#isTicking) this.#startTicking();
    const tally = this.#isSplit ? record.local : record.answers;
    lease.failuresBefore = tally.run;
    tally.pass();
    if (!this.#isSplit) record.gatewayRun = 0;
    if (record.isOnTrial) this.#ejector.passTrial(state, record);
  }

  /** The head of a good answer has come: that is enough for a trial, whose lease may last for hours. */
  answered({ state, epoch }: Lease<T>): void {
    const record = state.outlier;
    if (record?.isOnTrial !== true || epoch < record.since) return;
    if (!this.#isTicking) this.#startTicking();
    this.#ejector.passTrial(state, record);
  }

  released(lease: Lease<T>, verdict: Verdict): void {
    if (verdict === 'ignored') return;
    const { state } = lease;
    const record = state.outlier ?? this.#enrol(state);
    if (lease.epoch < record.since) return;
    if (!this.#isTicking) this.#startTicking();
    if (verdict === 'failure') return this.#failed(lease, record);
    // An old connection that ends well says nothing of now: it has counted when it began.
    const hasCounted = lease.failuresBefore >= 0;
    if (this.#isSplit) {
      if (lease.status > 0) this.#passAnswer(record);
      if (!hasCounted) record.local.pass();
    } else if (!hasCounted) {
      this.#passAnswer(record);
    }
    if (record.isOnTrial) this.#ejector.passTrial(state, record);
  }

  /** An active check of the member has passed. */
  checkPassed(state: MemberState<T>): void {
    const { ejection, outlier, health } = state;
    if (!this.#settings.unejectOnPassedCheck || ejection === undefined || outlier === undefined) return;
    if (health?.isUp !== false) this.#ejector.readmit(state, outlier, 'passed-check');
  }

  /** What was counted of the member says nothing any more. It is let in where it was ejected. */
  startsAnew(state: MemberState<T>, by: ReadmissionCause): void {
    if (state.outlier === undefined) return this.#renew(state);
    this.#ejector.endTrial(state, state.outlier);
    if (state.ejection !== undefined) this.#ejector.readmit(state, state.outlier, by);
    this.#renew(state);
  }

  /** It is no member any more. Its leases may still run, and count nowhere. */
  removed(state: MemberState<T>): void {
    this.#ejector.removed(state);
    state.outlier = new OutlierRecord(never);
  }

  /** Nobody can serve: lets those in against whom there is nothing but that they were ejected. */
  readmitLast(): void {
    this.#ejector.readmitLast();
  }

  #enrol(state: MemberState<T>): OutlierRecord {
    state.outlier = new OutlierRecord(this.#since);
    return state.outlier;
  }

  #renew(state: MemberState<T>): void {
    state.outlier = new OutlierRecord(++this.epoch);
  }

  /** Of a member's leases only those that are taken from now on count. */
  #restart(state: MemberState<T>): void {
    this.epoch++;
    if (state.outlier === undefined) return this.#renew(state);
    state.outlier.restart(this.epoch);
    // What the member is to be spared after a clean time fades whether it has clients or not.
    if (state.outlier.multiplier > 0 && !this.#isTicking) this.#startTicking();
  }

  #passAnswer(record: OutlierRecord): void {
    record.answers.pass();
    record.gatewayRun = 0;
  }

  #failed(lease: Lease<T>, record: OutlierRecord): void {
    const { state, status } = lease;
    const isLocal = this.#isSplit && status === 0;
    if (this.#isSplit && !isLocal && lease.failuresBefore < 0) record.local.pass();
    const tally = isLocal ? record.local : record.answers;
    const before = isLocal === this.#isSplit ? this.#takeBack(lease, tally) : -1;
    tally.fail(before);
    const isGateway = status === 0 || (status >= 502 && status <= 504);
    if (!isLocal) record.gatewayRun = isGateway ? Math.max(record.gatewayRun, before) + 1 : 0;
    if (record.isOnTrial || (before >= 0 && Circuit.isTrial(lease))) {
      this.#ejector.found(state, record, 'failed-trial', 'failed on trial');
    } else {
      this.#judgeRuns(state, record);
    }
  }

  /**
   * A connect that passed for a success at first is one no longer: the failures in a row that it seemed to end, or -1 where there was
   * none. After an interval or two that is too long ago to matter.
   */
  #takeBack({ failuresBefore, epoch }: Lease<T>, tally: Tally): number {
    if (failuresBefore < 0 || epoch < this.#lastInterval) return -1;
    if (epoch >= this.#thisInterval) tally.passed--;
    return failuresBefore;
  }

  /** A row that is long enough starts anew, whatever follows from it. */
  #judgeRuns(state: MemberState<T>, record: OutlierRecord): void {
    const { answers, local, gatewayRun } = record;
    const { run } = answers;
    if (gatewayRun >= this.#mostGatewayFailures) {
      record.gatewayRun = 0;
      const why = `${gatewayRun} consecutive gateway failures`;
      this.#ejector.found(state, record, 'consecutive-gateway-failures', why);
    }
    if (run >= this.#mostFailures) {
      answers.run = 0;
      this.#ejector.found(state, record, 'consecutive-failures', `${run} consecutive failures`);
    }
    if (this.#isSplit && local.run >= this.#mostLocalFailures) {
      const why = `${local.run} consecutive failures without an answer`;
      local.run = 0;
      this.#ejector.found(state, record, 'consecutive-local-origin-failures', why);
    }
  }

  #startTicking(): void {
    this.#tickedAt = this.#context.clock.now();
    this.#tickAfter(this.#settings.interval);
  }

  #tickAfter(delay: number): void {
    const { clock } = this.#context;
    if (this.#isTicking) clock.clearTimeout(this.#timer);
    this.#isTicking = true;
    this.#timer = setBackgroundTimeout(clock, () => this.#tick(), Math.max(0, delay));
  }

  /** An interval is over. The next one follows where there was anything in this one, or something is left to fade. */
  #tick(): void {
    this.#isTicking = false;
    this.#lastInterval = this.#thisInterval;
    this.#thisInterval = ++this.epoch;
    using _change = this.#host.change();
    let goesOn = this.#judgeInterval();
    for (const state of this.#host.states) {
      if (state.outlier !== undefined && this.#ejector.fade(state, state.outlier)) goesOn = true;
    }
    if (goesOn && !this.#isTicking) this.#startTicking();
  }

  /** @returns whether any lease has ended */
  #judgeInterval(): boolean {
    let isBusy = false;
    const answers: Rated<MemberState<T>>[] = [];
    const local: Rated<MemberState<T>>[] = [];
    for (const state of this.#host.states) {
      const record = state.outlier;
      if (record === undefined) continue;
      const ofAnswers = ratedBy(state, record.answers);
      const ofLocal = ratedBy(state, record.local);
      record.answers.rotate();
      record.local.rotate();
      if (ofAnswers === undefined && ofLocal === undefined) continue;
      isBusy = true;
      if (!state.isEligible || record.isOnTrial) continue;
      if (ofAnswers !== undefined) answers.push(ofAnswers);
      if (ofLocal !== undefined) local.push(ofLocal);
    }
    this.#eject(answers, false);
    this.#eject(local, true);
    return isBusy;
  }

  #eject(rated: readonly Rated<MemberState<T>>[], ofLocalOrigin: boolean): void {
    for (const { subject: state, cause, why } of outliersAmong(rated, this.#settings, ofLocalOrigin)) {
      if (state.outlier !== undefined) this.#ejector.found(state, state.outlier, cause, why);
    }
  }
}
