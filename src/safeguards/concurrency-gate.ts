import { contextOf, type Environment } from '../core/environment.ts';
import type { Random } from '../core/random.ts';
import type { ConcurrencyAlgorithm, ConcurrencyLimit } from './concurrency-limit.ts';
import { Ticker } from './ticker.ts';

/**
 * What the end of a request says of the server's load. `success`: it took that long. `dropped`: it was overloaded: no answer in
 * time, or one that says so (503, 429). `ignored`: nothing: it failed for another reason, a limit of our own, the client left.
 */
export type ConcurrencySample = 'success' | 'dropped' | 'ignored';

/** More samples tell an algorithm nothing new: it moves once a window, or by steps of 1 in a hundred or so. */
const samplesPerSecond = 128;
const second = 1000;

/**
 * Admits requests as long as fewer are under way than an adaptive limit permits. The limit learns from how long some of them took:
 * all of them while there are few, a random one in k where there are many, so that about 128 a second are timed, and the others
 * need no look at the clock (29 ns).
 *
 * Usable without a pool: `admits(active)` before a request; where `isSampled()`, note the time; and `ended()` at its end. It needs no
 * closing.
 *
 * Cost: `admits` and `isSampled` some 3 ns together; `ended` of a sample some 25 ns. While there are requests, a background timer
 * runs once a second.
 */
export class ConcurrencyGate {
  readonly algorithm: ConcurrencyAlgorithm;
  readonly #limit: ConcurrencyLimit;
  readonly #random: Random;
  readonly #ticker: Ticker;
  /** One in so many is sampled. */
  #stride = 1;
  /** Since the last tick. */
  #asked = 0;
  #samples = 0;
  /** The value of `#asked` at which there is a sample. */
  #next = 1;

  /** @param algorithm is started: gates that share it learn apart */
  constructor(algorithm: ConcurrencyAlgorithm, environment: Environment = {}) {
    const context = contextOf(environment);
    this.algorithm = algorithm;
    this.#limit = algorithm.start(context);
    this.#random = context.random;
    this.#ticker = new Ticker(context.clock, second, (seconds) => this.#adapt(seconds));
  }

  /** How many requests may be under way at a time now. */
  get limit(): number {
    return this.#limit.limit;
  }

  /**
   * Where none is under way one is admitted in any case: nothing would be learned any more.
   *
   * @param active how many are under way, without the one that is to be admitted
   */
  admits(active: number): boolean {
    return active === 0 || active < this.#limit.limit;
  }

  /** To be asked once for each request that is admitted: whether it is to be timed. */
  isSampled(): boolean {
    this.#asked++;
    if (this.#asked !== this.#next) return false;
    this.#sampled();
    return true;
  }

  /**
   * A request has ended.
   *
   * @param startedAt when it began; undefined where it is not a sample
   * @param now when it ended, by the same clock as `startedAt`; milliseconds
   * @param active how many were under way at its end, itself included
   */
  ended(startedAt: number | undefined, now: number, active: number, sample: ConcurrencySample): void {
    if (startedAt === undefined || sample === 'ignored') return;
    this.#limit.ended(now - startedAt, active, sample === 'dropped', now);
  }

  /** A random distance, so that no rhythm of the requests decides which are seen. */
  #sampled(): void {
    // The next tick may be late, or a burst sudden.
    if (++this.#samples % samplesPerSecond === 0) this.#stride *= 2;
    const stride = this.#stride;
    this.#next += stride === 1 ? 1 : 1 + Math.floor(this.#random() * (2 * stride - 1));
    if (!this.#ticker.isRunning) this.#ticker.start();
  }

  #adapt(seconds: number): boolean {
    const asked = this.#asked;
    this.#stride = Math.max(1, Math.ceil(asked / (seconds * samplesPerSecond)));
    this.#asked = this.#samples = 0;
    this.#next = 1 + Math.floor(this.#random() * this.#stride);
    return asked > 0;
  }
}
