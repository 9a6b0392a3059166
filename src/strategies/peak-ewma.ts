import type { Outcome } from '../core/lease.ts';
import type { Member } from '../core/member.ts';
import { duration, Fields, integer } from '../core/spec.ts';
import { BestOfDrawn } from './best-of-drawn.ts';
import { LatencyEstimates } from './latency-estimates.ts';
import { placesBefore } from './places-before.ts';
import { defaultFailurePenalty, RecentFailures } from './recent-failures.ts';
import { SparseTiming } from './sparse-timing.ts';
import type { Picker, PickRequest, Strategy, StrategyContext } from './strategy.ts';

export interface PeakEwmaOptions {
  /** Milliseconds in which what is known of a latency loses its weight, to 1 / e; 1 and up. Default 10,000. */
  readonly decay?: number | null;
  /**
   * What a member without history is taken for, in milliseconds, 0.001 and up. Default: it is tried with one client at a time, before
   * any other member, until it is known.
   */
  readonly defaultLatency?: number | null;
  /** How many members are drawn and compared for each client, 2 to 16. Default 2. */
  readonly choices?: number | null;
  /** What a failure counts for, in milliseconds of latency and of load, 0 and up. Default 10,000; 0: for nothing. */
  readonly failurePenalty?: number | null;
}

/** e^-3: a member that was heard of last three decay times before another is unknown beside that one. */
const outdated = Math.exp(-3);

/** Below this a clock tells no difference, and a latency of 0 would be one that no load makes worse. */
const leastLatency = 0.001;

/**
 * The better of two members that are drawn by chance, in proportion to their weights: the one with the lower product of its
 * latency and the leases that it would hold. The latency is a moving average that follows a peak at once and recovers slowly
 * (`LatencyEstimates`). For members that take clients as fast as they answer, such as those of HTTP; of members that differ in
 * how fast they are the faster get more, and one that begins to hang is left alone within a few clients.
 *
 * A member without history is tried with one client at a time, as in Finagle; so is one that has not been heard of for three
 * decay times longer than the other, which in Finagle may get any number of clients at once, its latency having decayed to
 * nothing. Weights count twice: a member is drawn in proportion to its own, and a lighter one that is to take a client from a heavier
 * one is charged for it by how much lighter it is. So the shares of members that are equally fast are about their weights.
 *
 * A failure counts as a lease that took `failurePenalty` milliseconds: it draws the latency up, and counts as load for that
 * long (`RecentFailures`). In Finagle and tower a fast error is a low latency.
 *
 * Source: Finagle, `PeakEwma.scala` and `P2CPick.scala`; tower, `load/peak_ewma.rs` (`defaultLatency`).
 *
 * Cost: a pick O(1), without reading the clock unless failures count; preparing O(n). Leases are timed (`SparseTiming` says which).
 *
 * Throws `SpecError`.
 */
export function peakEwma<T = unknown>(options: PeakEwmaOptions = {}): Strategy<T> {
  const fields = new Fields(options, '', ['decay', 'defaultLatency', 'choices', 'failurePenalty']);
  const settings = {
    decay: fields.read('decay', duration(1), 10_000),
    defaultLatency: fields.read('defaultLatency', duration(leastLatency), undefined),
    choices: fields.read('choices', integer(2, 16), 2),
    failurePenalty: fields.read('failurePenalty', duration(0), defaultFailurePenalty),
  };
  return {
    name: 'peak-ewma',
    prepare: (members, previous, context) => new PeakEwmaPicker(members, previous, settings, context),
  };
}

interface Settings {
  readonly decay: number;
  readonly defaultLatency: number | undefined;
  readonly choices: number;
  readonly failurePenalty: number;
}

class PeakEwmaPicker<T> extends BestOfDrawn<T> {
  readonly #members: readonly Member<T>[];
  readonly #weights: Int32Array;
  readonly #context: StrategyContext;
  readonly #settings: Settings;
  readonly #estimates: LatencyEstimates;
  readonly #failures: RecentFailures<T>;
  readonly #timing = new SparseTiming();

  constructor(
    members: readonly Member<T>[],
    previous: Picker<T> | undefined,
    settings: Settings,
    context: StrategyContext,
  ) {
    const weights = Int32Array.from(members, (member) => member.weight);
    super(members, weights, settings.choices, context.random);
    const before = previous instanceof PeakEwmaPicker ? (previous as PeakEwmaPicker<T>) : undefined;
    this.#members = members;
    this.#weights = weights;
    this.#context = context;
    this.#settings = settings;
    this.#failures = new RecentFailures(
      members,
      context.clock,
      settings.failurePenalty,
      before === undefined ? undefined : before.#failures,
    );
    this.#estimates = new LatencyEstimates(members.length, settings.decay, context.clock.now());
    this.#learnFrom(before);
  }

  override pick(request: PickRequest<T>): Member<T> | undefined {
    if (!this.#failures.areNone) this.#failures.expire();
    return super.pick(request);
  }

  wantsTime(_member: Member<T>, place: number): boolean {
    return this.#timing.wants() || this.#estimates.isUnknown(place);
  }

  measured(_member: Member<T>, place: number, milliseconds: number, now: number): void {
    this.#timing.timed(now);
    this.#estimates.record(place, Math.max(leastLatency, milliseconds), now);
  }

  released(_member: Member<T>, place: number, outcome: Outcome): void {
    if (outcome !== 'failure' || this.#settings.failurePenalty === 0) return;
    this.#failures.add(place);
    this.#estimates.recordFailure(place, this.#settings.failurePenalty, this.#context.clock.now());
  }

  protected isBetter(place: number, than: number): boolean {
    const estimates = this.#estimates;
    const leases = this.#leasesOf(place);
    const leasesThere = this.#leasesOf(than);
    const known = estimates.growthOf(place);
    const knownThere = estimates.growthOf(than);
    if (known < knownThere * outdated) return leases === 0;
    if (knownThere < known * outdated) return leasesThere > 0;
    const weight = this.#weights[place] as number;
    const weightThere = this.#weights[than] as number;
    const charge = Math.max(weight, weightThere);
    const cost = estimates.latencyOf(place) * known * (leases * weightThere + charge);
    return cost < estimates.latencyOf(than) * knownThere * (leasesThere + 1) * weight;
  }

  #leasesOf(place: number): number {
    return (this.#members[place] as Member<T>).stats.activeConnections + this.#failures.of(place);
  }

  #learnFrom(before: PeakEwmaPicker<T> | undefined): void {
    const now = this.#context.clock.now();
    const { defaultLatency } = this.#settings;
    const places = before === undefined ? undefined : placesBefore(this.#members, before.#members);
    for (let place = 0; place < this.#members.length; place++) {
      const placeBefore = places?.[place] ?? -1;
      if (before !== undefined && placeBefore >= 0) this.#estimates.copy(place, before.#estimates, placeBefore, now);
      else if (defaultLatency !== undefined) this.#estimates.set(place, defaultLatency, now);
    }
  }
}
