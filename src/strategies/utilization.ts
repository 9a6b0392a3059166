import type { Clock } from '../core/clock.ts';
import type { LoadReport } from '../core/load-report.ts';
import type { Member } from '../core/member.ts';
import { duration, Fields, number } from '../core/spec.ts';
import { placesBefore } from './places-before.ts';
import { roundRobin } from './round-robin.ts';
import { meanOf, StaticStride } from './static-stride.ts';
import type { Picker, PickRequest, Strategy, StrategyContext } from './strategy.ts';

export interface UtilizationOptions {
  /** What an error rate of 100 % counts as, in utilization; 0 to 1000, 0: errors do not count. Default 1. */
  readonly errorPenalty?: number | null;
  /** Milliseconds for which a member must have told its load before that counts, 0 to 2147483647. Default 10000. */
  readonly blackout?: number | null;
  /** Milliseconds after which a report counts no longer, 1 to 2147483647. Default 180000. */
  readonly expiration?: number | null;
  /** Milliseconds between two adjustments to what was reported, 100 to 2147483647. Default 1000. */
  readonly updatePeriod?: number | null;
}

/**
 * Round robin with weights that follow from the load that members report (`member.reportLoad()`), so that all end up equally utilized:
 * requests per second / (utilization + errors per second / requests per second × errorPenalty), which is what a member could serve if it
 * were used in full. One that has not reported for long enough, or no longer does, counts as the mean of the others; where fewer than two
 * do, it is plain round robin by the members' own weights.
 *
 * A member's own `weight` multiplies what it reports (gRPC and Envoy ignore it): of two members, one of weight 2 is to be utilized
 * twice as much as one of weight 1.
 *
 * Source: gRPC, A58 (`weighted_round_robin`); Envoy, `client_side_weighted_round_robin`. The order is that of `StaticStride`, whose bounds
 * hold: nobody counts for more than ten times the mean, nor for less than a hundredth of it.
 *
 * Cost: a pick O(1); a report, where an adjustment is due, and preparing O(n). The clock is read at each report and at every sixteenth pick,
 * and not at all before somebody has reported. Throws `SpecError`.
 */
export function utilization<T = unknown>(options: UtilizationOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', ['errorPenalty', 'blackout', 'expiration', 'updatePeriod']);
  const settings: Settings = {
    errorPenalty: fields.read('errorPenalty', number(0, 1000), 1),
    blackout: fields.read('blackout', duration(0), 10_000),
    expiration: fields.read('expiration', duration(1), 180_000),
    updatePeriod: fields.read('updatePeriod', duration(100), 1000),
  };
  // A fleet of fresh balancers is not to send its first clients to the same members.
  const plain = roundRobin<T>({ randomStart: true });
  return {
    name: 'utilization',
    prepare: (members, previous, context) => new UtilizationPicker(members, previous, plain, settings, context),
  };
}

interface Settings {
  readonly errorPenalty: number;
  readonly blackout: number;
  readonly expiration: number;
  readonly updatePeriod: number;
}

/** So many picks pass before the clock is asked whether a weight may have run out unnoticed. */
const picksBetweenLooks = 16;

/** Where so many members in a row cannot take a client, most cannot, and round robin finds one that can. */
const mostSkips = 64;

/** No time: nothing was reported. */
const never = -1;

class UtilizationPicker<T> implements Picker<T> {
  readonly #members: readonly Member<T>[];
  readonly #settings: Settings;
  readonly #clock: Clock;
  /** By place: what the last report amounts to, when that was, and since when there have been reports without a longer pause. */
  readonly #reported: Float64Array;
  readonly #at: Float64Array;
  readonly #since: Float64Array;
  /** Undefined where fewer than two members have a weight. */
  #stride: StaticStride | undefined;
  /** Where the next `StaticStride` begins. */
  #place: number;
  #round: number;
  readonly #plain: Picker<T>;
  #nextUpdate = 0;
  #isReportedTo = false;
  #picksUntilLook = picksBetweenLooks;
  declare acquired?: NonNullable<Picker<T>['acquired']>;
  declare released?: NonNullable<Picker<T>['released']>;

  constructor(
    members: readonly Member<T>[],
    previous: Picker<T> | undefined,
    plain: Strategy<T>,
    settings: Settings,
    context: StrategyContext,
  ) {
    const before = previous instanceof UtilizationPicker ? (previous as UtilizationPicker<T>) : undefined;
    this.#members = members;
    this.#settings = settings;
    this.#clock = context.clock;
    this.#reported = new Float64Array(members.length);
    this.#at = new Float64Array(members.length).fill(never);
    this.#since = new Float64Array(members.length).fill(never);
    this.#place = Math.floor(context.random() * members.length);
    this.#round = Math.floor(context.random() * 65_535);
    this.#plain = plain.prepare(members, before === undefined ? previous : before.#plain, context);
    const { acquired, released } = this.#plain;
    if (acquired !== undefined) this.acquired = acquired.bind(this.#plain);
    if (released !== undefined) this.released = released.bind(this.#plain);
    if (before !== undefined) this.#carryOn(before);
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    if (this.#isReportedTo && --this.#picksUntilLook === 0) this.#look(this.#clock.now());
    const stride = this.#stride;
    if (stride !== undefined) {
      for (let skipped = 0; skipped < mostSkips; skipped++) {
        const member = this.#members[stride.next()] as Member<T>;
        if (request.accepts(member)) return member;
      }
    }
    return this.#plain.pick(request);
  }

  reported(_member: Member<T>, place: number, report: LoadReport): void {
    const weight = weightOf(report, this.#settings.errorPenalty);
    if (weight === 0) return;
    const now = this.#clock.now();
    if (this.#hasRunOut(place, now)) this.#since[place] = now;
    this.#reported[place] = weight;
    this.#at[place] = now;
    this.#isReportedTo = true;
    this.#look(now);
  }

  #hasRunOut(place: number, now: number): boolean {
    const at = this.#at[place] as number;
    return at === never || now - at >= this.#settings.expiration;
  }

  #look(now: number): void {
    this.#picksUntilLook = picksBetweenLooks;
    if (now >= this.#nextUpdate) this.#update(now);
  }

  /** Adjusts the order of picks to what is known now. */
  #update(now: number): void {
    this.#nextUpdate = now + this.#settings.updatePeriod;
    const weights = new Float64Array(this.#members.length);
    let known = 0;
    let isReportedTo = false;
    for (let place = 0; place < weights.length; place++) {
      if (this.#hasRunOut(place, now)) continue;
      isReportedTo = true;
      if (now - (this.#since[place] as number) < this.#settings.blackout) continue;
      weights[place] = this.#reported[place] as number;
      known++;
    }
    this.#isReportedTo = isReportedTo;
    this.#place = this.#stride?.place ?? this.#place;
    this.#round = this.#stride?.round ?? this.#round;
    this.#stride = known < 2 ? undefined : this.#strideOf(weights);
  }

  #strideOf(weights: Float64Array): StaticStride {
    const mean = meanOf(weights);
    for (const [place, { weight }] of this.#members.entries()) {
      // The mean itself, where grpc-js once took 1 / mean for it (of its periods, which are 1 / weight).
      weights[place] = weight * (weights[place] === 0 ? mean : (weights[place] as number));
    }
    return new StaticStride(weights, this.#place, this.#round);
  }

  #carryOn(previous: UtilizationPicker<T>): void {
    if (!previous.#isReportedTo) return;
    const next = previous.#stride?.place ?? previous.#place;
    this.#round = previous.#stride?.round ?? previous.#round;
    this.#place = 0;
    const before = placesBefore(this.#members, previous.#members);
    for (let place = before.length - 1; place >= 0; place--) {
      const old = before[place] as number;
      if (old < 0) continue;
      if (old >= next) this.#place = place;
      this.#reported[place] = previous.#reported[old] as number;
      this.#at[place] = previous.#at[old] as number;
      this.#since[place] = previous.#since[old] as number;
    }
    this.#update(this.#clock.now());
  }
}

/** What a member could serve, in requests per second; 0 where the report does not tell. */
function weightOf(report: LoadReport, errorPenalty: number): number {
  const { utilization: used, requestsPerSecond, errorsPerSecond = 0 } = report;
  if (!(used > 0 && requestsPerSecond > 0)) return 0;
  // No error rate is too great for a penalty of 0, for which infinity times 0 would not do.
  const errors = errorPenalty === 0 ? 0 : (errorsPerSecond / requestsPerSecond) * errorPenalty;
  const weight = requestsPerSecond / (used + errors);
  // Within what sums and quotients of weights stay finite.
  return Math.min(1e15, Math.max(1e-15, weight));
}
