import type { Member } from '../core/member.ts';
import { unlimited } from '../core/member-spec.ts';
import type { Random } from '../core/random.ts';
import { boolean, Fields } from '../core/spec.ts';
import { PlaceSet } from './place-set.ts';
import { placesBefore } from './places-before.ts';
import type { Picker, PickRequest, Strategy } from './strategy.ts';

export interface RoundRobinOptions {
  /**
   * Whether the first cycle begins anywhere in it, so that of many balancers that start together not all send their first clients to the
   * same members. Default false: at the first member.
   */
  readonly randomStart?: boolean | null;
}

/**
 * Smooth weighted round robin: in each cycle of as many picks as the weights sum up to, every member is picked exactly as
 * often as its weight says, and the picks of a heavy member are spread out (weights 5, 1, 1 give a a b a c a a).
 *
 * Source: nginx, `src/http/ngx_http_upstream_round_robin.c` (Maxim Dounin, 2012), whose sequence this is for pools of up to
 * 64 members. Larger pools take each weight apart into powers of two and run the same algorithm over the powers: all members
 * with that bit in their weight form a group and take turns in it. A weight has at most nine bits, so the cost does not grow
 * with the number of members, and a cycle still is exact. Equal weights are a single group. The random start is that of Envoy's
 * schedulers, which pick in vain for a random number of times first.
 *
 * Cost: a pick O(1) for equal weights, O(n) up to 64 members of unequal weights, O(1) beyond (nine groups); preparing O(n). Beyond 64
 * members that have limits, full ones are not looked at (`PlaceSet`), for which an acquire and a release cost a look at the member.
 * Throws `SpecError`.
 */
export function roundRobin<T = unknown>(options: RoundRobinOptions = {}): Strategy<T> {
  const randomStart = new Fields(options, '', ['randomStart']).read('randomStart', boolean, false);
  return {
    name: 'round-robin',
    prepare: (members, previous, { random }) =>
      new RoundRobinPicker(members, previous, randomStart ? random : undefined),
  };
}

/** Up to here each member is a group of its own, as in nginx; beyond, scanning them all would show in the cost of a pick. */
const mostSingles = 64;

/** With one member in ten acceptable, 64 turns in a row are skipped once in 850 picks; then the next acceptable one is sought. */
const mostSkips = 64;

/** How far into a cycle a random start can be, at most: picking in vain takes time, and after so many each group had its share. */
const mostVainPicks = 16_384;

class RoundRobinPicker<T> implements Picker<T> {
  readonly #members: readonly Member<T>[];
  readonly #memberWeights: Int32Array;
  /** By what each group of members that take turns is known again after a change. */
  readonly #labels: readonly unknown[];
  /** What a member of a group gets of the picks through it. */
  readonly #each: Int32Array;
  /** Who of each group has room; where each member is a group, nobody keeps book. */
  readonly #open: readonly PlaceSet[];
  /** Group `g` gets `#weights[g]` of `#total` picks. */
  readonly #weights: Int32Array;
  #total = 0;
  /** nginx's "current weight" of each group; they sum up to 0. */
  readonly #current: Int32Array;
  /** From which place on the next turn is, within each group. */
  readonly #turn: Int32Array;
  declare acquired?: NonNullable<Picker<T>['acquired']>;
  declare released?: NonNullable<Picker<T>['released']>;

  /** @param random where given, and nothing is to be carried on, it says where to begin */
  constructor(members: readonly Member<T>[], previous: Picker<T> | undefined, random: Random | undefined) {
    this.#members = members;
    this.#memberWeights = Int32Array.from(members, ({ weight }) => weight);
    const { labels, each } = group(members, this.#memberWeights);
    this.#labels = labels;
    this.#each = Int32Array.from(each);
    this.#weights = new Int32Array(each.length);
    this.#current = new Int32Array(each.length);
    this.#turn = new Int32Array(each.length);
    this.#open = labels === members ? [] : each.map(() => new PlaceSet(members.length));
    for (const place of members.keys()) this.#admit(place, 1);
    if (members.length > mostSingles) this.#heedLimits();
    if (previous instanceof RoundRobinPicker) this.#carryOn(previous);
    else if (random !== undefined) this.#startAnywhere(random);
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    if (this.#weights.length === 1) return this.#takeAcceptedTurn(0, request);
    return this.#open.length === 0 ? this.#pickSingle(request) : this.#pickFromGroups(request);
  }

  #pickSingle(request: PickRequest<T>): Member<T> | undefined {
    const best = this.#leader();
    const member = this.#members[best] as Member<T>;
    if (!request.accepts(member)) return this.#pickAcceptedSingle(request);
    this.#charge(best);
    return member;
  }

  /** nginx leaves out peers that cannot serve: the same step as if only the acceptable members were there. */
  #pickAcceptedSingle(request: PickRequest<T>): Member<T> | undefined {
    const current = this.#current;
    let best = -1;
    let total = 0;
    for (const [place, member] of this.#members.entries()) {
      if (!request.accepts(member)) continue;
      const weight = this.#weights[place] as number;
      (current[place] as number) += weight;
      total += weight;
      if (best < 0 || (current[place] as number) > (current[best] as number)) best = place;
    }
    if (best < 0) return undefined;
    (current[best] as number) -= total;
    return this.#members[best];
  }

  /** Turns that members cannot take are skipped, which leaves their share to all others by weight. */
  #pickFromGroups(request: PickRequest<T>): Member<T> | undefined {
    if (this.#total === 0) return undefined;
    for (let skipped = 0; skipped < mostSkips; skipped++) {
      const best = this.#leader();
      const member = this.#takeTurn(best);
      this.#charge(best);
      if (request.accepts(member)) return member;
    }
    for (let g = 0; g < this.#weights.length; g++) {
      const member = this.#takeAcceptedTurn(g, request);
      if (member !== undefined) return member;
    }
    return undefined;
  }

  /** The group that leads once each has gained its weight; the first of several. One of which nobody has room does not count. */
  #leader(): number {
    const current = this.#current;
    const weights = this.#weights;
    let best = -1;
    let most = 0;
    for (let g = 0; g < weights.length; g++) {
      const weight = weights[g] as number;
      const gained = (current[g] as number) + weight;
      if (weight === 0 || (best >= 0 && gained <= most)) continue;
      most = gained;
      best = g;
    }
    return best;
  }

  /** Each group gains its weight, and the one that was picked pays for all. */
  #charge(best: number): void {
    const current = this.#current;
    for (let g = 0; g < current.length; g++) (current[g] as number) += this.#weights[g] as number;
    (current[best] as number) -= this.#total;
  }

  /** The next member of a group of which somebody has room. */
  #takeTurn(g: number): Member<T> {
    const open = this.#open[g] as PlaceSet;
    const next = open.next(this.#turn[g] as number);
    const place = next < 0 ? open.next(0) : next;
    this.#turn[g] = place + 1;
    return this.#members[place] as Member<T>;
  }

  #takeAcceptedTurn(g: number, request: PickRequest<T>): Member<T> | undefined {
    for (let left = (this.#open[g] as PlaceSet).size; left > 0; left--) {
      const member = this.#takeTurn(g);
      if (request.accepts(member)) return member;
    }
    return undefined;
  }

  #isIn(g: number, place: number): boolean {
    if (this.#open.length === 0) return g === place;
    return this.#labels[g] === equal || ((this.#memberWeights[place] as number) & (this.#each[g] as number)) !== 0;
  }

  /** Lets a member take part (`sign` 1) or no longer (-1). */
  #admit(place: number, sign: 1 | -1): void {
    for (let g = 0; g < this.#weights.length; g++) {
      if (!this.#isIn(g, place)) continue;
      const weight = sign * (this.#each[g] as number);
      (this.#weights[g] as number) += weight;
      this.#total += weight;
      if (sign === 1) this.#open[g]?.add(place);
      else this.#open[g]?.delete(place);
    }
  }

  /** Only where there are limits is anything to be heard of leases. */
  #heedLimits(): void {
    const limits = Int32Array.from(this.#members, ({ maxConnections = unlimited }) => maxConnections);
    if (limits.every((limit) => limit === unlimited)) return;
    const full = new PlaceSet(limits.length);
    const review = ({ stats: { activeConnections } }: Member<T>, place: number): void => {
      const isFull = activeConnections >= (limits[place] as number);
      if (isFull === full.has(place)) return;
      if (isFull) full.add(place);
      else full.delete(place);
      this.#admit(place, isFull ? -1 : 1);
      // What a group was owed while there were many with room it must not claim from a few.
      if (this.#weights.length > 1) this.#balance();
    };
    this.acquired = review;
    this.released = review;
    for (const [place, member] of this.#members.entries()) review(member, place);
  }

  #startAnywhere(random: Random): void {
    for (const [g, open] of this.#open.entries()) {
      const turn = Math.floor(random() * open.size);
      for (let step = 0; step < turn; step++) this.#takeTurn(g);
    }
    if (this.#weights.length === 1) return;
    const vain = Math.floor(random() * Math.min(this.#total, mostVainPicks));
    for (let pick = 0; pick < vain; pick++) this.#charge(this.#leader());
  }

  /**
   * Takes over where the previous picker stood, so that a change does not send the next clients to the first members again. A
   * group that there was before keeps its standing; any other gets one by the place of its members in the queue so far.
   */
  #carryOn(previous: RoundRobinPicker<T>): void {
    const size = previous.#members.length;
    const before = placesBefore(this.#members, previous.#members);
    const groupBefore = new Map(previous.#labels.map((label, g) => [label, g]));
    let queue: Int32Array | undefined;
    for (const [g, label] of this.#labels.entries()) {
      const old = groupBefore.get(label);
      if (old === undefined) queue ??= previous.#queue();
      let first = Number.POSITIVE_INFINITY;
      for (const [place, placeBefore] of before.entries()) {
        if (!this.#isIn(g, place)) continue;
        const turn =
          placeBefore < 0
            ? size
            : old === undefined
              ? (queue?.[placeBefore] as number)
              : previous.#turnsUntil(old, placeBefore);
        if (turn >= first) continue;
        first = turn;
        this.#turn[g] = place;
      }
      this.#current[g] =
        old === undefined
          ? Math.round(((size - 1) / 2 - first) * (this.#each[g] as number))
          : (previous.#current[old] as number);
    }
    this.#balance();
  }

  /** How many places of a group are to be gone through before that of a member has its turn. */
  #turnsUntil(g: number, place: number): number {
    const size = this.#members.length;
    return this.#isIn(g, place) ? (place - (this.#turn[g] as number) + size) % size : size;
  }

  /** By place, how many others are about due before: group by group, the one that leads first. */
  #queue(): Int32Array {
    const size = this.#members.length;
    const due = [...this.#labels.keys()].sort((a, b) => (this.#current[b] as number) - (this.#current[a] as number));
    const queue = new Int32Array(size).fill(-1);
    let length = 0;
    for (const g of due) {
      for (let step = 0; step < size; step++) {
        const place = ((this.#turn[g] as number) + step) % size;
        if (this.#isIn(g, place) && queue[place] === -1) queue[place] = length++;
      }
    }
    return queue;
  }

  /** Restores the invariants that no standing exceeds the total and that all sum up to 0. */
  #balance(): void {
    const current = this.#current;
    for (let g = 0; g < current.length; g++) {
      current[g] = Math.max(-this.#total, Math.min(this.#total, current[g] as number));
    }
    let excess = current.reduce((sum, value) => sum + value, 0);
    for (let g = 0; g < current.length; g++) {
      const share = Math.round(excess / (current.length - g));
      (current[g] as number) -= share;
      excess -= share;
    }
  }
}

/** The label of the one group that members of the same weight are. */
const equal = 'equal';

/** How members of these weights take turns: the groups' labels, and what each of their members gets of the picks through them. */
function group<T>(
  members: readonly Member<T>[],
  weights: Int32Array,
): { readonly labels: readonly unknown[]; readonly each: readonly number[] } {
  if (weights.every((weight) => weight === weights[0])) return { labels: [equal], each: [1] };
  if (members.length <= mostSingles) return { labels: members, each: [...weights] };
  const all = weights.reduce((bits, weight) => bits | weight, 0);
  const bits = [256, 128, 64, 32, 16, 8, 4, 2, 1].filter((bit) => (all & bit) !== 0);
  return { labels: bits, each: bits };
}
