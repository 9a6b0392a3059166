import { Fields, integer, number } from '../core/spec.ts';
import { BuiltInAlgorithm, type ConcurrencyLimit } from './concurrency-limit.ts';
import { type LimitRange, type LimitRangeSpec, rangeFields, readLimitRange } from './limit-range.ts';
import { MovingMean } from './moving-mean.ts';
import { SampleWindow } from './sample-window.ts';

export interface GradientLimitSpec extends LimitRangeSpec {
  /** How much of each new estimate is taken over, 0.01 to 1. Default 0.2. */
  readonly smoothing?: number | null;
  /** Requests that may queue at the server besides: by so many the limit tries to grow, 0 to 1000. Default 4. */
  readonly queue?: number | null;
  /** The memory for how long requests take without a queue, in windows, 10 to 1000000. Default 600: ten minutes. */
  readonly longWindow?: number | null;
  /** So many times as long as usual a request may take before the limit shrinks, 1 to 10. Default 1.5. */
  readonly tolerance?: number | null;
  /** Milliseconds of samples that are put together for a step, 0 (each sample is one) to 60000. Default 1000. */
  readonly window?: number | null;
  /**
   * After so many windows in which requests were slow and the limit was reached, what is usual is measured anew, 0 (never, as
   * Netflix's) to 1000000. Default 60: once a minute, and only while there is more to do than is permitted.
   */
  readonly probeEvery?: number | null;
}

/** Checked. Flat: two that agree field by field are the same. */
export interface GradientLimitSettings extends LimitRange {
  readonly smoothing: number;
  readonly queue: number;
  readonly longWindow: number;
  readonly tolerance: number;
  readonly window: number;
  readonly probeEvery: number;
}

/**
 * A limit that shrinks as soon as requests take longer than they used to, and grows while they do not: Netflix's `Gradient2Limit`
 * in its `WindowedLimit` (concurrency-limits). Once a window, with the mean time of its requests, and of those of the last
 * `longWindow` windows (exponentially smoothed; falls by a twentieth a window while it is twice the window's):
 *
 *     gradient = clamp(tolerance * long / window's, 0.5, 1)
 *     limit    = limit * (1 - smoothing) + (limit * gradient + queue) * smoothing, within min and max
 *
 * It neither grows nor shrinks while less than half of it is in use. Two differences, both to where the original fails:
 *
 * - There, a drop is a request that took as long as it took, so that a server that refuses at once looks fast and is sent ever more
 *   (their issue #176). Here drops do not go into the mean, and take their share off the gradient: where a third is dropped, it is
 *   2/3 at most.
 * - There, an overload that lasts becomes what is usual, and the limit climbs, to 400 within half an hour. Here, once a minute of it,
 *   half the limit is tried for two windows, and what is measured in the second is what is usual from then on; Envoy does likewise.
 *
 * Where nothing is dropped, it does with `probeEvery: 0` what Netflix's does.
 *
 * Cost: some 10 ns a sample.
 *
 * @throws SpecError where a setting is bad
 */
export function gradientLimit(spec: GradientLimitSpec = {}): BuiltInAlgorithm<GradientLimitSettings> {
  return readGradientLimit(new Fields(spec, '', gradientFields));
}

export const gradientFields: readonly (keyof GradientLimitSpec)[] = [
  'smoothing',
  'queue',
  'longWindow',
  'tolerance',
  'window',
  'probeEvery',
  ...rangeFields,
];

export function readGradientLimit(fields: Fields<keyof GradientLimitSpec>): BuiltInAlgorithm<GradientLimitSettings> {
  const settings: GradientLimitSettings = {
    ...readLimitRange(fields),
    smoothing: fields.read('smoothing', number(0.01, 1), 0.2),
    queue: fields.read('queue', integer(0, 1000), 4),
    longWindow: fields.read('longWindow', integer(10, 1_000_000), 600),
    tolerance: fields.read('tolerance', number(1, 10), 1.5),
    window: fields.read('window', number(0, 60_000, 'milliseconds'), 1000),
    probeEvery: fields.read('probeEvery', integer(0, 1_000_000), 60),
  };
  return new BuiltInAlgorithm('gradient', settings, start);
}

const start = (settings: GradientLimitSettings): ConcurrencyLimit => new GradientLimit(settings);

/** A probe's first window still sees requests from before it; only the second one counts. */
const probeWindows = 2;

class GradientLimit implements ConcurrencyLimit {
  readonly #settings: GradientLimitSettings;
  readonly #window: SampleWindow;
  readonly #longTime: MovingMean;
  #estimate: number;
  /** Windows since the last probe in which requests were slow with the limit reached. */
  #slow = 0;
  /** Windows that the probe still takes; 0 where there is none. */
  #probing = 0;

  constructor(settings: GradientLimitSettings) {
    this.#settings = settings;
    this.#window = new SampleWindow(settings.window);
    this.#longTime = new MovingMean(settings.longWindow);
    this.#estimate = settings.initial;
  }

  get limit(): number {
    const estimate = this.#probing === 0 ? this.#estimate : Math.max(this.#settings.min, this.#estimate / 2);
    return Math.floor(estimate);
  }

  ended(milliseconds: number, inFlight: number, wasDropped: boolean, now: number): void {
    const window = this.#window;
    if (!window.add(milliseconds, inFlight, wasDropped, now)) return;
    const { mean, maxInFlight, shareDropped } = window;
    if (this.#probing > 0) this.#probed(mean);
    else this.#learn(mean, maxInFlight, 1 - shareDropped);
  }

  #learn(mean: number | undefined, maxInFlight: number, shareServed: number): void {
    const { smoothing, queue, tolerance, min, max, probeEvery } = this.#settings;
    const estimate = this.#estimate;
    const swiftness = mean === undefined ? 1 : Math.min(1, (tolerance * this.#remember(mean)) / mean);
    if (maxInFlight < estimate / 2) return;
    if (swiftness < 1 && maxInFlight >= this.limit) this.#slow++;
    const gradient = Math.max(0.5, swiftness * shareServed);
    const next = estimate * (1 - smoothing) + (estimate * gradient + queue) * smoothing;
    this.#estimate = Math.max(min, Math.min(max, next));
    if (probeEvery > 0 && this.#slow >= probeEvery) this.#probing = probeWindows;
  }

  /** How long requests take as a rule, this window included. */
  #remember(mean: number): number {
    const long = this.#longTime.add(mean);
    // After a long overload the memory is of that one: to forget it sooner than the smoothing would.
    if (long / mean > 2) this.#longTime.scale(0.95);
    return long;
  }

  #probed(mean: number | undefined): void {
    this.#probing--;
    if (this.#probing > 0) return;
    this.#slow = 0;
    if (mean !== undefined) this.#longTime.restart(mean);
  }
}
