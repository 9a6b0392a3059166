import { Fields, number } from '../core/spec.ts';
import { BuiltInAlgorithm, type ConcurrencyLimit } from './concurrency-limit.ts';
import { type LimitRange, type LimitRangeSpec, rangeFields, readLimitRange } from './limit-range.ts';
import { SampleWindow } from './sample-window.ts';

export interface AimdLimitSpec extends LimitRangeSpec {
  /** What the limit is multiplied with after a drop, 0.5 to 0.99. Default 0.9. */
  readonly backoff?: number | null;
  /** Milliseconds after which a request that was answered counts as dropped all the same, 1 to 2147483647. Default 5000. */
  readonly timeout?: number | null;
  /** Milliseconds of samples that are put together for a step, 0 (each sample is one, as Netflix's) to 60000. Default 100. */
  readonly window?: number | null;
}

/** Checked. Flat: two that agree field by field are the same. */
export interface AimdLimitSettings extends LimitRange {
  readonly backoff: number;
  readonly timeout: number;
  readonly window: number;
}

/**
 * Additive increase, multiplicative decrease: one more after a window in which all went well and at least half of the limit was in
 * use, a tenth less after one in which anything was dropped (timed out, or refused for want of room) or took longer than `timeout`.
 * Netflix's `AIMDLimit` (concurrency-limits), which takes each request for a window: then the limit grows by as much as there are
 * requests, and an overloaded server is brought to drop a tenth of them or more for good. `window: 0` does that.
 *
 * Cost: some 20 ns a sample.
 *
 * @throws SpecError where a setting is bad
 */
export function aimdLimit(spec: AimdLimitSpec = {}): BuiltInAlgorithm<AimdLimitSettings> {
  return readAimdLimit(new Fields(spec, '', aimdFields));
}

export const aimdFields: readonly (keyof AimdLimitSpec)[] = ['backoff', 'timeout', 'window', ...rangeFields];

export function readAimdLimit(fields: Fields<keyof AimdLimitSpec>): BuiltInAlgorithm<AimdLimitSettings> {
  const settings: AimdLimitSettings = {
    ...readLimitRange(fields),
    backoff: fields.read('backoff', number(0.5, 0.99), 0.9),
    timeout: fields.read('timeout', number(1, 2_147_483_647, 'milliseconds'), 5000),
    window: fields.read('window', number(0, 60_000, 'milliseconds'), 100),
  };
  return new BuiltInAlgorithm('aimd', settings, start);
}

const start = (settings: AimdLimitSettings): ConcurrencyLimit => new AimdLimit(settings);

class AimdLimit implements ConcurrencyLimit {
  readonly #settings: AimdLimitSettings;
  readonly #window: SampleWindow;
  #limit: number;

  constructor(settings: AimdLimitSettings) {
    this.#settings = settings;
    this.#window = new SampleWindow(settings.window);
    this.#limit = settings.initial;
  }

  get limit(): number {
    return this.#limit;
  }

  ended(milliseconds: number, inFlight: number, wasDropped: boolean, now: number): void {
    const { backoff, timeout, min, max } = this.#settings;
    const window = this.#window;
    if (!window.add(milliseconds, inFlight, wasDropped || milliseconds > timeout, now)) return;
    let limit = this.#limit;
    if (window.shareDropped > 0) limit = Math.floor(limit * backoff);
    else if (window.maxInFlight * 2 >= limit) limit++;
    this.#limit = Math.max(min, Math.min(max, limit));
  }
}
