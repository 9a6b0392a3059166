import { Circuit } from '../core/circuit.ts';
import type { MemberState } from '../core/member-state.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import { OutlierEjections } from './outlier-ejections.ts';
import type {
  EjectionWithheld,
  MemberEjected,
  MemberReadmitted,
  ReadmissionCause,
  WithheldBecause,
} from './outlier-events.ts';
import { type EjectionCause, never, type OutlierRecord } from './outlier-record.ts';
import type { OutlierDetection } from './outlier-spec.ts';
import { OutlierCounters, type OutlierStats } from './outlier-stats.ts';

/** What ejections ask of the pool. */
export interface EjectionHost<T> {
  /** Brackets a change: what follows from it is told at its end. */
  change(): Disposable;
  /** A member's `ejection` has come or gone: status and pickers are to follow. */
  review(state: MemberState<T>): void;
  ejected(event: MemberEjected<T>): void;
  readmitted(event: MemberReadmitted<T>): void;
  withheld(event: EjectionWithheld<T>): void;
  trialPassed(state: MemberState<T>): void;
}

/**
 * Takes outliers out, as far as enough members stay, lets them in again when their time is over, and puts them on trial. Only members
 * that serve are ejected: one that is down, drains or is disabled gets no clients as it is.
 */
export class OutlierEjector<T> {
  settings: OutlierDetection;
  readonly #host: EjectionHost<T>;
  readonly #context: StrategyContext;
  /** Counting is to start anew for a member. */
  readonly #restart: (state: MemberState<T>) => void;
  readonly #counters = new OutlierCounters();
  readonly #ejected: OutlierEjections<T>;
  readonly #trials = new Set<MemberState<T>>();

  constructor(
    host: EjectionHost<T>,
    context: StrategyContext,
    settings: OutlierDetection,
    restart: (state: MemberState<T>) => void,
  ) {
    this.#host = host;
    this.#context = context;
    this.settings = settings;
    this.#restart = restart;
    this.#ejected = new OutlierEjections(context.clock, (states) => this.#release(states));
  }

  get stats(): OutlierStats {
    return this.#counters.snapshot(this.#ejected.size, this.#trials.size);
  }

  /** The member is an outlier: ejects it, or says why not. */
  found(state: MemberState<T>, record: OutlierRecord, cause: EjectionCause, why: string): void {
    if (!state.isEligible || state.level === undefined) return;
    const because = this.#against(state, cause);
    if (because === undefined) return this.#eject(state, record, cause, why);
    this.#counters.withheld(cause, because);
    this.#host.withheld({ member: state.member, cause, reason: why, because });
  }

  #against(state: MemberState<T>, cause: EjectionCause): WithheldBecause | undefined {
    const { maxEjectionPercent, enforcing } = this.settings;
    const { healthy, ejected, inService } = state.level ?? { healthy: 0, ejected: 0, inService: 0 };
    if (healthy - 1 - this.#othersOnTrial(state) < 1) return 'last-healthy';
    if (maxEjectionPercent === 0) return 'max-ejection-percent';
    if (ejected > 0 && 100 * (ejected + 1) > maxEjectionPercent * inService) return 'max-ejection-percent';
    // What has failed its trial was enforced when it was ejected.
    const isEnforced = enforcing === 100 || cause === 'failed-trial' || this.#context.random() * 100 < enforcing;
    return isEnforced ? undefined : 'not-enforced';
  }

  /** Of its level: they take but a few clients, and nobody knows for how long, so they are not what can stay alone. */
  #othersOnTrial(state: MemberState<T>): number {
    let count = 0;
    for (const other of this.#trials) if (other !== state && other.level === state.level && other.isEligible) count++;
    return count;
  }

  #eject(state: MemberState<T>, record: OutlierRecord, cause: EjectionCause, why: string): void {
    using _change = this.#host.change();
    this.endTrial(state, record);
    const duration = this.#nextDuration(record);
    const reason = `ejected for ${seconds(duration)}: ${why}`;
    state.ejection = { cause, reason, duration, until: this.#context.clock.now() + duration };
    record.since = never;
    this.#ejected.add(state);
    this.#counters.ejected(cause);
    this.#host.ejected({ member: state.member, cause, reason, duration });
    this.#host.review(state);
  }

  /** The multiplier grows until the longest time is reached and, as Envoy's, one step further. */
  #nextDuration(record: OutlierRecord): number {
    const { baseEjectionTime, maxEjectionTime, ejectionJitter } = this.settings;
    if (record.multiplier * baseEjectionTime < maxEjectionTime + baseEjectionTime) record.multiplier++;
    const jitter = ejectionJitter === 0 ? 0 : this.#context.random() * ejectionJitter;
    return Math.min(record.multiplier * baseEjectionTime, maxEjectionTime) + jitter;
  }

  readmit(state: MemberState<T>, record: OutlierRecord, by: ReadmissionCause): void {
    using _change = this.#host.change();
    this.#ejected.delete(state);
    state.ejection = undefined;
    record.cleanSince = this.#context.clock.now();
    const isOnTrial = this.settings.halfOpen > 0 && (by === 'time' || by === 'passed-check');
    if (isOnTrial) this.#startTrial(state, record);
    this.#restart(state);
    this.#host.readmitted({ member: state.member, by, isOnTrial });
    this.#host.review(state);
  }

  #release(states: readonly MemberState<T>[]): void {
    using _change = this.#host.change();
    for (const state of states) if (state.outlier !== undefined) this.readmit(state, state.outlier, 'time');
  }

  /** Lets all in, the ones that are on trial as well. */
  releaseAll(): void {
    this.endTrials();
    for (const state of [...this.#ejected]) {
      if (state.outlier !== undefined) this.readmit(state, state.outlier, 'switched-off');
    }
  }

  /** Nobody can serve: so those may against whom there is nothing but that they were ejected. */
  readmitLast(): void {
    for (const state of [...this.#ejected]) {
      const isServiceable = state.isInService && state.health?.isUp !== false;
      if (isServiceable && state.outlier !== undefined) this.readmit(state, state.outlier, 'last-resort');
    }
  }

  removed(state: MemberState<T>): void {
    if (state.outlier !== undefined) this.endTrial(state, state.outlier);
    this.#ejected.delete(state);
    state.ejection = undefined;
  }

  #startTrial(state: MemberState<T>, record: OutlierRecord): void {
    state.circuit ??= new Circuit(state.config);
    state.circuit.halfOpen(this.settings.halfOpen);
    record.isOnTrial = true;
    this.#trials.add(state);
  }

  passTrial(state: MemberState<T>, record: OutlierRecord): void {
    this.endTrial(state, record);
    record.cleanSince = this.#context.clock.now();
    this.#host.trialPassed(state);
  }

  endTrial(state: MemberState<T>, record: OutlierRecord): void {
    if (!record.isOnTrial) return;
    record.isOnTrial = false;
    this.#trials.delete(state);
    state.circuit?.close();
  }

  endTrials(): void {
    for (const state of this.#trials) if (state.outlier !== undefined) this.endTrial(state, state.outlier);
  }

  /** An interval is over: the next ejection of one that was clean all the while will be shorter. Says whether more is to fade. */
  fade(state: MemberState<T>, record: OutlierRecord): boolean {
    if (record.multiplier === 0 || record.isOnTrial || state.ejection !== undefined) return false;
    if (this.#context.clock.now() - record.cleanSince >= this.settings.interval) record.multiplier--;
    return record.multiplier > 0;
  }
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds) / 1000} s`;
}
