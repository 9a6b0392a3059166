/** A server in virtual time for the adaptive limits: workers, and a queue before them without end. Synchronous, and quick. */
import type { Clock } from '../../src/core/clock.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { ConcurrencyGate } from '../../src/safeguards/concurrency-gate.ts';
import type { ConcurrencyAlgorithm } from '../../src/safeguards/concurrency-limit.ts';

interface Event {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that a loop drives, by a heap of what is due. */
class Timeline implements Clock {
  #now = 0;
  #order = 0;
  readonly #heap: Event[] = [];
  readonly #forgotten = new Set<unknown>();

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delay: number): unknown {
    const event = { due: this.#now + Math.max(0, delay), order: this.#order++, callback };
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[place] = heap[parent] as Event;
      place = parent;
    }
    heap[place] = event;
    return event;
  }

  clearTimeout(timer: unknown): void {
    this.#forgotten.add(timer);
  }

  runUntil(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.due <= end; next = this.#heap[0]) {
      this.#removeFirst();
      if (this.#forgotten.delete(next)) continue;
      this.#now = next.due;
      next.callback();
    }
    this.#now = end;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[place] = heap[child] as Event;
      place = child;
    }
    heap[place] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

export interface Scene {
  /** Undefined: everybody is let in. */
  readonly algorithm: ConcurrencyAlgorithm | undefined;
  /** Requests that the server works on at a time. */
  readonly workers: number;
  /** Mean milliseconds of work in one; it varies by a fifth. */
  readonly work: number;
  /** Requests a second, at a time in milliseconds. */
  readonly rate: (now: number) => number;
  /** Milliseconds that the client waits for an answer; the server works on it all the same. Default: without end. */
  readonly patience?: number;
  /** Requests that may wait at the server; any more are refused at once. Default: without end. */
  readonly places?: number;
}

/** What became of the requests that arrived within a span of time. */
export interface Outcome {
  readonly p50: number;
  readonly p99: number;
  /** Answered in time, a second. */
  readonly answered: number;
  /** Given up by the client or refused by the server, a second. */
  readonly dropped: number;
  /** Refused by the gate, a second. */
  readonly refused: number;
  readonly limit: number;
}

export class Simulation {
  readonly clock = new Timeline();
  readonly gate: ConcurrencyGate | undefined;
  readonly #scene: Scene;
  readonly #random: Random = seededRandom(7);
  #active = 0;
  #busy = 0;
  #queue: (() => void)[] = [];
  #head = 0;
  #times: number[] = [];
  #dropped = 0;
  #refused = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.gate = scene.algorithm && new ConcurrencyGate(scene.algorithm, { clock: this.clock, random: seededRandom(8) });
    this.#arrive();
  }

  /** Goes on for so many milliseconds and tells of these. */
  run(duration: number): Outcome {
    this.#times = [];
    this.#dropped = 0;
    this.#refused = 0;
    this.clock.runUntil(this.clock.now() + duration);
    const times = this.#times.sort((a, b) => a - b);
    const at = (share: number): number => times[Math.floor(share * times.length)] ?? 0;
    const seconds = duration / 1000;
    return {
      p50: at(0.5),
      p99: at(0.99),
      answered: times.length / seconds,
      dropped: this.#dropped / seconds,
      refused: this.#refused / seconds,
      limit: this.gate?.limit ?? Number.POSITIVE_INFINITY,
    };
  }

  #arrive(): void {
    // Poisson: as independent clients arrive.
    const wait = -Math.log(1 - this.#random()) * (1000 / this.#scene.rate(this.clock.now()));
    this.clock.setTimeout(() => {
      this.#request();
      this.#arrive();
    }, wait);
  }

  #request(): void {
    const { gate, clock } = this;
    if (gate !== undefined && !gate.admits(this.#active)) {
      this.#refused++;
      return;
    }
    const began = clock.now();
    const startedAt = gate?.isSampled() ? began : undefined;
    this.#active++;
    let isOver = false;
    const end = (isAnswered: boolean): void => {
      if (isOver) return;
      isOver = true;
      const now = clock.now();
      gate?.ended(startedAt, now, this.#active, isAnswered ? 'success' : 'dropped');
      this.#active--;
      if (isAnswered) this.#times.push(now - began);
      else this.#dropped++;
    };
    const { patience, places = Number.POSITIVE_INFINITY } = this.#scene;
    if (patience !== undefined) clock.setTimeout(() => end(false), patience);
    if (this.#busy < this.#scene.workers) this.#serve(end);
    else if (this.#queue.length - this.#head < places) this.#queue.push(() => this.#serve(end));
    else clock.setTimeout(() => end(false), 1);
  }

  #serve(end: (isAnswered: boolean) => void): void {
    this.#busy++;
    const work = this.#scene.work * (0.8 + 0.4 * this.#random());
    this.clock.setTimeout(() => {
      this.#busy--;
      end(true);
      const next = this.#queue[this.#head];
      if (next === undefined) return;
      this.#head++;
      if (this.#head > 10_000) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      next();
    }, work);
  }
}
