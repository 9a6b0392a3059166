import type { Member } from '../core/member.ts';
import { unlimited } from '../core/member-spec.ts';
import { IndexHeap } from './index-heap.ts';
import type { Standing } from './standing.ts';
import type { PickRequest } from './strategy.ts';

// What is known of a queue, eight numbers each; a queue is named by where its numbers begin.
const head = 0;
const tail = 1;
const count = 2;
const groupOf = 3;
/** The queues beside it, of the same group: that with the next lower and that with the next higher count. */
const fewer = 4;
const more = 5;
const length = 6;
const queueSize = 8;

// Of a member: who is behind it, and before it unless it is at the head; its queue, or of one that is out -1 - its group; its limit.
const behind = 0;
const before = 1;
const queueOf = 2;
const limit = 3;
const memberSize = 4;

// Of a group: its first and its last queue.
const fewest = 0;
const most = 1;
const groupSize = 2;

const none = -1;

/**
 * Members in the order of their load: 0 for an idle one, else (count + 1) / weight. Ties go round, in proportion to the weights.
 *
 * Members of one weight that have the same count wait in a queue; what leaves it leaves at its head, what joins it joins at its tail. All
 * queues of one weight, in ascending order of count, are a group. A connection more or less thus moves a member to the neighbouring
 * queue, and only the groups need be kept in a heap, of which there are no more than there are weights. Where the first queues of two groups
 * are equally loaded, the group whose turn is first goes first. For each member that is taken it steps back by 1 / (weight × members in
 * that queue), so that all who are tied get what their weights say.
 *
 * Source: queues by count are those of K. Shah, A. Mitra and D. Matani, "An O(1) algorithm for implementing the LFU cache eviction
 * scheme" (2010).
 *
 * Cost: O(log g) for g different weights, whatever the number of members; but a member that comes back in looks for its queue among
 * those of its group, from the most busy one on. Preparing O(n + c log c) for c different counts. The state of a member is 16 bytes, and
 * a step touches that of two: with many members, what is not in the cache is what costs.
 */
export class LoadOrder {
  readonly #members: Int32Array;
  readonly #queues: Int32Array;
  /** The first of the queues that are not in use, which are chained by `more`. */
  #unused = 0;
  readonly #groups: Int32Array;
  readonly #weights: Float64Array;
  readonly #turns: Float64Array;
  readonly #heap: IndexHeap;
  /** The turn of the group of which a member was taken last: where one that was busy for long joins the round. */
  #now: number;

  /** @param extraOf how many connections more a member is to be thought to hold, by place */
  constructor(members: readonly Member<unknown>[], standing: Standing, extraOf: (place: number) => number) {
    const { turns, sequence, now } = standing;
    const groups = new Map<number, number>();
    const counts = new Int32Array(members.length);
    this.#members = new Int32Array(memberSize * members.length);
    for (const place of sequence) {
      const { weight, maxConnections = unlimited, stats } = members[place] as Member<unknown>;
      const group = groups.get(weight) ?? groups.size;
      groups.set(weight, group);
      this.#members[memberSize * place + queueOf] = none - group;
      this.#members[memberSize * place + limit] = maxConnections;
      counts[place] = stats.activeConnections < maxConnections ? stats.activeConnections + extraOf(place) : none;
    }
    // While a member moves there can be one queue more than members.
    this.#queues = new Int32Array(queueSize * (members.length + 1));
    for (let queue = 0; queue < this.#queues.length; queue += queueSize) this.#queues[queue + more] = queue + queueSize;
    this.#groups = new Int32Array(groupSize * groups.size).fill(none);
    this.#weights = Float64Array.from(groups.keys());
    // At first, the groups have their turns in the order of the sequence.
    this.#turns = this.#weights.map((weight, group) => turns.get(weight) ?? now + group * 2 ** -40);
    this.#heap = new IndexHeap(groups.size);
    this.#now = now;
    this.#fill(counts, sequence);
  }

  /** The place of the least loaded member; -1 where all are out. */
  get first(): number {
    const queue = this.#groups[groupSize * this.#heap.first + fewest] as number;
    return queue < 0 ? none : (this.#queues[queue + head] as number);
  }

  /** As `first`, of the members that a request accepts. Looks at those that are less loaded, and at few others. */
  find<T>(members: readonly Member<T>[], request: PickRequest<T>): number {
    return this.#search(0, none, members, request);
  }

  /** How the members stand. Those that are out are not in the sequence. */
  get standing(): Standing {
    const sequence: number[] = [];
    for (let group = 0; group < this.#groups.length; group += groupSize) {
      let queue = this.#groups[group + fewest] as number;
      for (; queue >= 0; queue = this.#queues[queue + more] as number) {
        let place = this.#queues[queue + head] as number;
        for (; place >= 0; place = this.#members[memberSize * place + behind] as number) sequence.push(place);
      }
    }
    const turns = new Map(Array.from(this.#weights, (weight, group) => [weight, this.#turns[group] as number]));
    return { turns, sequence, now: this.#now };
  }

  /** The member was taken: its group steps back, and it has another count. As `move` else. */
  take(place: number, held: number, extra: number): void {
    const queue = this.#queueOf(place);
    if (queue >= 0) {
      const group = this.#queues[queue + groupOf] as number;
      this.#now = Math.max(this.#now, this.#turns[group] as number);
      this.#turns[group] = this.#now + this.#stride(queue, group);
    }
    this.move(place, held, extra);
  }

  /**
   * Puts a member where it belongs.
   *
   * @param held its connections; with as many as its limit it is out
   * @param extra how many more it is to be thought to hold
   */
  move(place: number, held: number, extra: number): void {
    this.#recount(place, held < (this.#members[memberSize * place + limit] as number) ? held + extra : none);
  }

  #recount(place: number, countNow: number): void {
    const queues = this.#queues;
    const queue = this.#queueOf(place);
    if (queue < 0) {
      if (countNow < 0) return;
      const last = this.#groups[groupSize * (none - queue) + most] as number;
      this.#join(place, this.#queueWith(countNow, none - queue, last));
      this.#review(none - queue);
      return;
    }
    const countBefore = queues[queue + count] as number;
    const group = queues[queue + groupOf] as number;
    const isAlone = queues[queue + length] === 1;
    if (isAlone && countNow >= 0 && this.#fits(queue, countNow)) {
      queues[queue + count] = countNow;
    } else if (countNow !== countBefore) {
      // Nearly always the neighbour; looked at here, as a call would cost as much as the rest.
      const neighbour = queues[queue + (countNow > countBefore ? more : fewer)] as number;
      const isNext = neighbour >= 0 && queues[neighbour + count] === countNow;
      const target = isNext ? neighbour : countNow < 0 ? none : this.#queueWith(countNow, group, queue);
      this.#leave(place, queue);
      if (target < 0) this.#members[memberSize * place + queueOf] = none - group;
      else this.#join(place, target);
      if (isAlone) this.#drop(queue);
    }
    this.#review(group);
  }

  #fill(counts: Int32Array, sequence: readonly number[]): void {
    const byCount = new Map<number, number[]>();
    for (const place of sequence) {
      const peers = byCount.get(counts[place] as number) ?? [];
      peers.push(place);
      byCount.set(counts[place] as number, peers);
    }
    // In ascending order, so that each finds its queue at once: it is the last one of its group.
    for (const countNow of [...byCount.keys()].sort((a, b) => a - b)) {
      for (const place of byCount.get(countNow) as number[]) this.#recount(place, countNow);
    }
  }

  #join(place: number, queue: number): void {
    const members = this.#members;
    const last = this.#queues[queue + tail] as number;
    members[memberSize * place + behind] = none;
    members[memberSize * place + before] = last;
    members[memberSize * place + queueOf] = queue;
    if (last < 0) this.#queues[queue + head] = place;
    else members[memberSize * last + behind] = place;
    this.#queues[queue + tail] = place;
    (this.#queues[queue + length] as number)++;
  }

  #leave(place: number, queue: number): void {
    const members = this.#members;
    const next = members[memberSize * place + behind] as number;
    const isFirst = this.#queues[queue + head] === place;
    (this.#queues[queue + length] as number)--;
    const previous = isFirst ? none : (members[memberSize * place + before] as number);
    if (isFirst) this.#queues[queue + head] = next;
    else members[memberSize * previous + behind] = next;
    if (next < 0) this.#queues[queue + tail] = previous;
    // Whom the first one leaves first is not told, which would fetch it into the cache for nothing.
    else if (!isFirst) members[memberSize * next + before] = previous;
  }

  /** Whether a queue keeps its place in its group with another count. */
  #fits(queue: number, countNow: number): boolean {
    const below = this.#queues[queue + fewer] as number;
    const above = this.#queues[queue + more] as number;
    const isAbove = below < 0 || (this.#queues[below + count] as number) < countNow;
    return isAbove && (above < 0 || (this.#queues[above + count] as number) > countNow);
  }

  /** The queue of a group that has a count, a new one if need be; looked for from another queue on. */
  #queueWith(wanted: number, group: number, start: number): number {
    const queues = this.#queues;
    let below = start;
    while (below >= 0 && (queues[below + count] as number) > wanted) below = queues[below + fewer] as number;
    let above = below < 0 ? (this.#groups[groupSize * group + fewest] as number) : (queues[below + more] as number);
    while (above >= 0 && (queues[above + count] as number) <= wanted) {
      below = above;
      above = queues[above + more] as number;
    }
    if (below >= 0 && queues[below + count] === wanted) return below;
    const queue = this.#unused;
    this.#unused = queues[queue + more] as number;
    queues[queue + head] = none;
    queues[queue + tail] = none;
    queues[queue + length] = 0;
    queues[queue + count] = wanted;
    queues[queue + groupOf] = group;
    this.#connect(group, below, queue);
    this.#connect(group, queue, above);
    return queue;
  }

  #drop(queue: number): void {
    const queues = this.#queues;
    this.#connect(queues[queue + groupOf] as number, queues[queue + fewer] as number, queues[queue + more] as number);
    queues[queue + more] = this.#unused;
    this.#unused = queue;
  }

  /** Makes two queues neighbours; none beside the first and the last one of a group. */
  #connect(group: number, below: number, above: number): void {
    if (below < 0) this.#groups[groupSize * group + fewest] = above;
    else this.#queues[below + more] = above;
    if (above < 0) this.#groups[groupSize * group + most] = below;
    else this.#queues[above + fewer] = below;
  }

  /** Puts a group where its first queue belongs. */
  #review(group: number): void {
    const queue = this.#groups[groupSize * group + fewest] as number;
    const load = this.#loadOf(queue, group);
    // Where the queue has become longer its turn comes sooner.
    const turn = Math.min(this.#turns[group] as number, this.#now + (queue < 0 ? 0 : this.#stride(queue, group)));
    this.#turns[group] = turn;
    if (load !== this.#heap.loadOf(group) || turn !== this.#heap.turnOf(group)) this.#heap.set(group, load, turn);
  }

  #stride(queue: number, group: number): number {
    return 1 / ((this.#queues[queue + length] as number) * (this.#weights[group] as number));
  }

  #loadOf(queue: number, group: number): number {
    if (queue < 0) return Number.POSITIVE_INFINITY;
    const countNow = this.#queues[queue + count] as number;
    // A division, and no product with 1 / weight: what ties must come out the same.
    return countNow === 0 ? 0 : (countNow + 1) / (this.#weights[group] as number);
  }

  /** The best of what was found so far and of the groups at a position of the heap and below it. */
  #search<T>(position: number, found: number, members: readonly Member<T>[], request: PickRequest<T>): number {
    if (position >= this.#heap.size) return found;
    const group = this.#heap.at(position);
    if (!this.#isBefore(this.#heap.loadOf(group), group, found)) return found;
    const place = this.#findIn(group, members, request);
    const isBetter = place >= 0 && this.#isBefore(this.#loadOf(this.#queueOf(place), group), group, found);
    const best = this.#search(2 * position + 1, isBetter ? place : found, members, request);
    return this.#search(2 * position + 2, best, members, request);
  }

  #findIn<T>(group: number, members: readonly Member<T>[], request: PickRequest<T>): number {
    let queue = this.#groups[groupSize * group + fewest] as number;
    for (; queue >= 0; queue = this.#queues[queue + more] as number) {
      let place = this.#queues[queue + head] as number;
      for (; place >= 0; place = this.#members[memberSize * place + behind] as number) {
        if (request.accepts(members[place] as Member<T>)) return place;
      }
    }
    return none;
  }

  /** Whether somebody of a group goes before the one that was found, if any. */
  #isBefore(load: number, group: number, found: number): boolean {
    if (found < 0) return true;
    const other = this.#queues[this.#queueOf(found) + groupOf] as number;
    const otherLoad = this.#loadOf(this.#queueOf(found), other);
    return load < otherLoad || (load === otherLoad && (this.#turns[group] as number) < (this.#turns[other] as number));
  }

  #queueOf(place: number): number {
    return this.#members[memberSize * place + queueOf] as number;
  }
}
