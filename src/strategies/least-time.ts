import type { Outcome } from '../core/lease.ts';
import type { Member } from '../core/member.ts';
import { boolean, duration, Fields, oneOf } from '../core/spec.ts';
import { DistinctDraws } from './distinct-draws.ts';
import { placesBefore } from './places-before.ts';
import { defaultFailurePenalty, RecentFailures } from './recent-failures.ts';
import { ResponseTimes } from './response-times.ts';
import { SparseTiming } from './sparse-timing.ts';
import type { Picker, PickRequest, Strategy, StrategyContext } from './strategy.ts';

export interface LeastTimeOptions {
  /** Whether the time until the first byte of an answer counts (or until the connection stands), or until the end. Default `'first-byte'`. */
  readonly measures?: 'first-byte' | 'last-byte' | null;
  /** Whether a member is taken to be no faster than the leases that it has not answered yet are old, on average. Default false. */
  readonly inflight?: boolean | null;
  /**
   * Milliseconds, 0 and up. A member that was not picked for so long (and a second more) counts as twice as fast for each such time,
   * so that a slow one is tried again. Default 10,000.
   */
  readonly failTimeout?: number | null;
  /** For how many milliseconds a lease that failed counts as if it went on, 0 and up. Default 10,000; 0 does without. */
  readonly failurePenalty?: number | null;
  /**
   * Whether the turns among members that are alike begin at a random one, so that of many balancers that start together not all send
   * their first clients to the same ones. Default false: at the first member.
   */
  readonly randomStart?: boolean | null;
}

const fieldNames = ['measures', 'inflight', 'failTimeout', 'failurePenalty', 'randomStart'] as const;
const timesMeasured = ['first-byte', 'last-byte'] as const;

/**
 * The member that would be done first: the least product of average time and of the leases that it would hold, for its weight.
 * Times of one class of 20 ms are alike, from 5 seconds on all are, and ties go round as in smooth weighted round robin.
 *
 * Source: nginx 1.31, `ngx_http_upstream_least_time_module.c`, to the letter for pools of up to 32 members, but that `inflight` takes
 * the average age as it is, which nginx averages once more over the picks. nginx looks at all peers; in a larger pool here five
 * members are drawn by chance and the best of them is picked.
 *
 * Only successes count as times. nginx keeps off failing peers by `max_fails`; here recent failures count as load
 * (`RecentFailures`), and a member that has some is taken to be no faster than the average.
 *
 * Cost: a pick O(n) up to 32 members, O(1) beyond; preparing O(n). A pick reads the clock, and leases are timed, all with `inflight`,
 * else as `SparseTiming` says.
 *
 * Throws `SpecError`.
 */
export function leastTime<T = unknown>(options: LeastTimeOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', fieldNames);
  const settings: Settings = {
    measures: fields.read('measures', oneOf(timesMeasured), 'first-byte'),
    inflight: fields.read('inflight', boolean, false),
    failTimeout: fields.read('failTimeout', duration(0), 10_000),
    failurePenalty: fields.read('failurePenalty', duration(0), defaultFailurePenalty),
    randomStart: fields.read('randomStart', boolean, false),
  };
  return {
    name: 'least-time',
    prepare: (members, previous, context) => new LeastTimePicker(members, previous, settings, context),
  };
}

interface Settings {
  readonly measures: 'first-byte' | 'last-byte';
  readonly inflight: boolean;
  readonly failTimeout: number;
  readonly failurePenalty: number;
  readonly randomStart: boolean;
}

/** Up to here all members are compared; beyond, looking at each would show in the cost of a pick. */
const mostCompared = 32;

/** How many are drawn in a larger pool. Where half of the members are slow, one client in 32 gets a slow one. */
const choices = 5;

class LeastTimePicker<T> implements Picker<T> {
  readonly measures: 'first-byte' | 'last-byte';
  readonly #members: readonly Member<T>[];
  readonly #settings: Settings;
  readonly #context: StrategyContext;
  readonly #times: ResponseTimes;
  readonly #failures: RecentFailures<T>;
  readonly #timing = new SparseTiming();
  /** Undefined where all members are compared. */
  readonly #draws: DistinctDraws | undefined;
  /** nginx's "current weight" of each member. */
  readonly #current: Int32Array;
  /** Those that were drawn. */
  readonly #drawn: Int32Array = new Int32Array(choices);
  /** The members that are tied for the best, `#tiedCount` of them, and the one that is to be picked. */
  readonly #tied: Int32Array;
  #tiedCount = 0;
  #bestTime = 0;
  #bestWeight = 1;

  constructor(
    members: readonly Member<T>[],
    previous: Picker<T> | undefined,
    settings: Settings,
    context: StrategyContext,
  ) {
    const weights = Int32Array.from(members, (member) => member.weight);
    const before = previous instanceof LeastTimePicker ? (previous as LeastTimePicker<T>) : undefined;
    const failuresBefore = before === undefined ? undefined : before.#failures;
    this.measures = settings.measures;
    this.#members = members;
    this.#settings = settings;
    this.#context = context;
    this.#times = new ResponseTimes(weights, settings.failTimeout, settings.inflight);
    this.#failures = new RecentFailures(members, context.clock, settings.failurePenalty, failuresBefore);
    this.#current = new Int32Array(members.length);
    this.#tied = new Int32Array(members.length);
    // Members are drawn regardless of weight, since the weights count when they are compared.
    const isLarge = members.length > mostCompared;
    this.#draws = isLarge ? new DistinctDraws(weights.fill(1), choices, context.random) : undefined;
    this.#carryOn(before);
    if (settings.randomStart && before === undefined) this.#startAt(Math.floor(context.random() * members.length));
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    if (!this.#failures.areNone) this.#failures.expire();
    const { clock } = this.#context;
    const now = this.#settings.inflight ? clock.now() : this.#timing.now(clock);
    if (this.#draws === undefined) this.#compareAll(now, undefined);
    else this.#compareDrawn(this.#draws, now, undefined);
    // Only the best is asked about: to ask each costs more than to compare it.
    const place = this.#foremost();
    return request.accepts(this.#members[place] as Member<T>)
      ? this.#take(place, now)
      : this.#pickAccepted(request, now);
  }

  acquired(_member: Member<T>, place: number): void {
    if (this.#settings.inflight) this.#times.acquiredAt(place, this.#context.clock.now());
    else this.#times.acquired(place);
  }

  wantsTime(): boolean {
    return this.#settings.inflight || this.#timing.wants();
  }

  measured(_member: Member<T>, place: number, milliseconds: number, now: number): void {
    this.#timing.timed(now);
    this.#times.record(place, milliseconds);
    if (this.measures === 'first-byte' && this.#settings.inflight) this.#times.answered(place, milliseconds, now);
  }

  released(_member: Member<T>, place: number, outcome: Outcome, age: number, wasMeasured: boolean): void {
    const isUnanswered = this.measures === 'last-byte' || !wasMeasured;
    if (this.#settings.inflight && isUnanswered) this.#times.answered(place, age, this.#context.clock.now());
    this.#times.released(place);
    if (outcome !== 'failure') return;
    this.#times.check(place, this.#context.clock.now());
    this.#failures.add(place);
  }

  #pickAccepted(request: PickRequest<T>, now: number): Member<T> | undefined {
    if (this.#draws !== undefined) this.#compareDrawn(this.#draws, now, request);
    if (this.#draws === undefined || this.#tiedCount === 0) this.#compareAll(now, request);
    return this.#tiedCount === 0 ? undefined : this.#take(this.#foremost(), now);
  }

  #compareAll(now: number, request: PickRequest<T> | undefined): void {
    this.#tiedCount = 0;
    for (let place = 0; place < this.#members.length; place++) this.#compare(place, now, request);
  }

  #compareDrawn(draws: DistinctDraws, now: number, request: PickRequest<T> | undefined): void {
    this.#tiedCount = 0;
    // All are drawn before any is looked at, so that the processor can wait for all of them at the same time.
    const count = draws.drawAll(this.#drawn);
    for (let draw = 0; draw < count; draw++) this.#compare(this.#drawn[draw] as number, now, request);
    // Chance has decided which of those that are tied was drawn first: no need for turns.
    if (this.#tiedCount > 1) this.#tiedCount = 1;
  }

  #compare(place: number, now: number, request: PickRequest<T> | undefined): void {
    if (request?.accepts(this.#members[place] as Member<T>) === false) return;
    const time = this.#times.untilDone(place, this.#failures.of(place), now);
    const weight = this.#times.weightOf(place);
    if (this.#tiedCount > 0) {
      const difference = time * this.#bestWeight - this.#bestTime * weight;
      if (difference > 0) return;
      if (difference < 0) this.#tiedCount = 0;
    }
    if (this.#tiedCount === 0) {
      this.#bestTime = time;
      this.#bestWeight = weight;
    }
    this.#tied[this.#tiedCount++] = place;
  }

  /** Whose turn it is of those that are tied. */
  #foremost(): number {
    let best = this.#tied[0] as number;
    for (let tie = 1; tie < this.#tiedCount; tie++) {
      const place = this.#tied[tie] as number;
      if (this.#gained(place) > this.#gained(best)) best = place;
    }
    return best;
  }

  #gained(place: number): number {
    return (this.#current[place] as number) + this.#times.weightOf(place);
  }

  /** Each that is tied gains its weight, and the one that is picked pays for all. */
  #take(place: number, now: number): Member<T> | undefined {
    if (this.#tiedCount > 1) {
      let total = 0;
      for (let tie = 0; tie < this.#tiedCount; tie++) {
        const other = this.#tied[tie] as number;
        total += this.#times.weightOf(other);
        this.#current[other] = this.#gained(other);
      }
      (this.#current[place] as number) -= total;
    }
    this.#times.check(place, now);
    return this.#members[place];
  }

  /** Of those that are tied the first from this place on leads, then the next. */
  #startAt(start: number): void {
    const { length } = this.#current;
    for (let place = 0; place < length; place++) this.#current[place] = -((place - start + length) % length);
  }

  #carryOn(before: LeastTimePicker<T> | undefined): void {
    const places = before === undefined ? undefined : placesBefore(this.#members, before.#members);
    for (const [place, member] of this.#members.entries()) {
      const placeBefore = places?.[place] ?? -1;
      if (before !== undefined && placeBefore >= 0) {
        this.#times.copy(place, before.#times, placeBefore);
        this.#current[place] = before.#current[placeBefore] as number;
      }
      this.#times.setLeases(place, member.stats.activeConnections);
    }
  }
}
