import type { Member } from '../core/member.ts';
import type { Picker, PickRequest, Strategy } from './strategy.ts';

/**
 * The member with the fewest connections for its weight. Idle members come first; among busy ones the lowest
 * (connections + 1) / weight, which is the load that the member would have with the new client (HAProxy, `src/lb_fwlc.c`).
 * Ties go round, in proportion to the weights: a tied member that was picked steps back by 1 / weight (earliest deadline
 * first), where HAProxy rotates regardless of weight.
 *
 * Cost: a pick, an acquire and a release O(log n) each, by a binary heap; preparing O(n).
 */
export function leastConnections<T = unknown>(): Strategy<T> {
  return {
    name: 'least-connections',
    prepare: (members, previous) => new LeastConnectionsPicker(members, previous),
  };
}

class LeastConnectionsPicker<T> implements Picker<T> {
  readonly #members: readonly Member<T>[];
  readonly #indexOf: ReadonlyMap<Member<T>, number>;
  /** By member index: what the heap is ordered by, first the load, then the turn. A full member's load is infinite. */
  readonly #load: Float64Array;
  readonly #turn: Float64Array;
  /** Member indexes, least loaded first, and where in it each member is. */
  readonly #heap: Int32Array;
  readonly #place: Int32Array;
  /** The turn of the last member that was picked: where a member that was idle for long joins the round. */
  #now = 0;

  constructor(members: readonly Member<T>[], previous: Picker<T> | undefined) {
    this.#members = members;
    this.#indexOf = new Map(members.map((member, index) => [member, index]));
    this.#load = Float64Array.from(members, loadOf);
    this.#turn = new Float64Array(members.length);
    if (previous instanceof LeastConnectionsPicker) {
      this.#now = previous.#now;
      for (const [index, member] of members.entries()) {
        const before = previous.#indexOf.get(member);
        this.#turn[index] = before === undefined ? this.#now : (previous.#turn[before] as number);
      }
    }
    this.#heap = Int32Array.from(members, (_, index) => index);
    this.#place = Int32Array.from(this.#heap);
    for (let place = (members.length >> 1) - 1; place >= 0; place--) this.#sink(place);
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    const index = this.#heap[0] as number;
    const member = this.#members[index] as Member<T>;
    return request.accepts(member) ? member : this.#pickAccepted(request);
  }

  acquired(member: Member<T>): void {
    const index = this.#indexOf.get(member);
    if (index === undefined) return;
    this.#now = Math.max(this.#now, this.#turn[index] as number);
    this.#turn[index] = this.#now + 1 / member.weight;
    this.#load[index] = loadOf(member);
    this.#sink(this.#place[index] as number);
  }

  released(member: Member<T>): void {
    const index = this.#indexOf.get(member);
    if (index === undefined) return;
    this.#load[index] = loadOf(member);
    this.#rise(this.#place[index] as number);
  }

  /**
   * Walks the heap in order until a member is acceptable. Full members are at its end, so the walk passes over no more than
   * those that this client has tried.
   */
  #pickAccepted(request: PickRequest<T>): Member<T> | undefined {
    const frontier = [0];
    while (frontier.length > 0) {
      let next = 0;
      for (let f = 1; f < frontier.length; f++) {
        if (
          this.#isBefore(this.#heap[frontier[f] as number] as number, this.#heap[frontier[next] as number] as number)
        ) {
          next = f;
        }
      }
      const place = frontier.splice(next, 1)[0] as number;
      const index = this.#heap[place] as number;
      const member = this.#members[index] as Member<T>;
      if (request.accepts(member)) return member;
      if (this.#load[index] === Number.POSITIVE_INFINITY) return undefined;
      for (const child of [2 * place + 1, 2 * place + 2]) if (child < this.#heap.length) frontier.push(child);
    }
    return undefined;
  }

  #isBefore(a: number, b: number): boolean {
    const loadA = this.#load[a] as number;
    const loadB = this.#load[b] as number;
    if (loadA !== loadB) return loadA < loadB;
    const turnA = this.#turn[a] as number;
    const turnB = this.#turn[b] as number;
    return turnA < turnB || (turnA === turnB && a < b);
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const index = heap[start] as number;
    let place = start;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1] as number, heap[child] as number)) child++;
      const below = heap[child] as number;
      if (!this.#isBefore(below, index)) break;
      heap[place] = below;
      this.#place[below] = place;
      place = child;
    }
    heap[place] = index;
    this.#place[index] = place;
  }

  #rise(start: number): void {
    const heap = this.#heap;
    const index = heap[start] as number;
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as number;
      if (!this.#isBefore(index, above)) break;
      heap[place] = above;
      this.#place[above] = place;
      place = parent;
    }
    heap[place] = index;
    this.#place[index] = place;
  }
}

function loadOf(member: Member<unknown>): number {
  const { activeConnections } = member.stats;
  if (activeConnections === 0) return 0;
  if (activeConnections >= (member.maxConnections ?? Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
  return (activeConnections + 1) / member.weight;
}
