import type { Member } from '../core/member.ts';
import type { Picker, PickRequest, Strategy } from './strategy.ts';

/**
 * Smooth weighted round robin: in each cycle of as many picks as the weights sum up to, every member is picked exactly as
 * often as its weight says, and the picks of a heavy member are spread out (weights 5, 1, 1 give a a b a c a a).
 *
 * Source: nginx, `src/http/ngx_http_upstream_round_robin.c` (Maxim Dounin, 2012), whose sequence this is for pools of up to
 * 64 members. Larger pools take each weight apart into powers of two and run the same algorithm over the powers: all members
 * with that bit in their weight form a group and take turns in it. A weight has at most nine bits, so the cost does not grow
 * with the number of members, and a cycle still is exact. Equal weights are a single group.
 *
 * Cost: a pick O(1) for equal weights, O(n) up to 64 members of unequal weights, O(1) beyond (nine groups); preparing O(n).
 */
export function roundRobin<T = unknown>(): Strategy<T> {
  return {
    name: 'round-robin',
    prepare: (members, previous) => new RoundRobinPicker(members, previous),
  };
}

/** Up to here each member is a group of its own, as in nginx; beyond, scanning them all would show in the cost of a pick. */
const mostSingles = 64;

/** With one member in ten acceptable, 64 turns in a row are skipped once in 850 picks; then the next acceptable one is sought. */
const mostSkips = 64;

class RoundRobinPicker<T> implements Picker<T> {
  /** Members that take turns: group `g` gets `#weights[g]` of `#total` picks. */
  readonly #groups: readonly Group<T>[];
  readonly #hasSingles: boolean;
  readonly #weights: Int32Array;
  readonly #total: number;
  /** nginx's "current weight" of each group; they sum up to 0. */
  readonly #current: Int32Array;
  /** Whose turn it is within each group. */
  readonly #turn: Int32Array;

  constructor(members: readonly Member<T>[], previous: Picker<T> | undefined) {
    this.#groups = group(members);
    this.#hasSingles = members.length <= mostSingles;
    this.#weights = Int32Array.from(this.#groups, ({ members: peers, weight }) => peers.length * weight);
    this.#total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    this.#current = new Int32Array(this.#groups.length);
    this.#turn = new Int32Array(this.#groups.length);
    if (previous instanceof RoundRobinPicker) this.#carryOn(previous);
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    if (this.#groups.length === 1) return this.#takeAcceptedTurn(0, request);
    return this.#hasSingles ? this.#pickSingle(request) : this.#pickFromGroups(request);
  }

  #pickSingle(request: PickRequest<T>): Member<T> | undefined {
    const best = this.#leader();
    const member = (this.#groups[best] as Group<T>).members[0] as Member<T>;
    if (!request.accepts(member)) return this.#pickAcceptedSingle(request);
    this.#charge(best);
    return member;
  }

  /** nginx leaves out peers that cannot serve: the same step as if only the acceptable members were there. */
  #pickAcceptedSingle(request: PickRequest<T>): Member<T> | undefined {
    const current = this.#current;
    let best = -1;
    let total = 0;
    for (const [g, { members, weight }] of this.#groups.entries()) {
      if (!request.accepts(members[0] as Member<T>)) continue;
      (current[g] as number) += weight;
      total += weight;
      if (best < 0 || (current[g] as number) > (current[best] as number)) best = g;
    }
    if (best < 0) return undefined;
    (current[best] as number) -= total;
    return (this.#groups[best] as Group<T>).members[0];
  }

  /** Turns that members cannot take are skipped, which leaves their share to all others by weight. */
  #pickFromGroups(request: PickRequest<T>): Member<T> | undefined {
    for (let skipped = 0; skipped < mostSkips; skipped++) {
      const best = this.#leader();
      const member = this.#takeTurn(best);
      this.#charge(best);
      if (request.accepts(member)) return member;
    }
    for (let g = 0; g < this.#groups.length; g++) {
      const member = this.#takeAcceptedTurn(g, request);
      if (member !== undefined) return member;
    }
    return undefined;
  }

  /** The group that leads once each has gained its weight; the first of several. */
  #leader(): number {
    const current = this.#current;
    const weights = this.#weights;
    let best = 0;
    let most = (current[0] as number) + (weights[0] as number);
    for (let g = 1; g < weights.length; g++) {
      const gained = (current[g] as number) + (weights[g] as number);
      if (gained > most) {
        most = gained;
        best = g;
      }
    }
    return best;
  }

  /** Each group gains its weight, and the one that was picked pays for all. */
  #charge(best: number): void {
    const current = this.#current;
    for (let g = 0; g < current.length; g++) (current[g] as number) += this.#weights[g] as number;
    (current[best] as number) -= this.#total;
  }

  #takeTurn(g: number): Member<T> {
    const { members } = this.#groups[g] as Group<T>;
    const turn = this.#turn[g] as number;
    this.#turn[g] = turn + 1 === members.length ? 0 : turn + 1;
    return members[turn] as Member<T>;
  }

  #takeAcceptedTurn(g: number, request: PickRequest<T>): Member<T> | undefined {
    const { members } = this.#groups[g] as Group<T>;
    for (let skipped = 0; skipped < members.length; skipped++) {
      const member = this.#takeTurn(g);
      if (request.accepts(member)) return member;
    }
    return undefined;
  }

  /**
   * Takes over where the previous picker stood, so that a change does not send the next clients to the first members again. A
   * group that there was before keeps its standing; any other gets one by the place of its members in the queue so far.
   */
  #carryOn(previous: RoundRobinPicker<T>): void {
    const queue = previous.#queue();
    const before = new Map(previous.#groups.map(({ label }, g) => [label, g]));
    for (const [g, { label, members, weight }] of this.#groups.entries()) {
      const old = before.get(label);
      const places = old === undefined ? queue : previous.#placesIn(old);
      let first = Number.POSITIVE_INFINITY;
      for (const [turn, member] of members.entries()) {
        const place = places.get(member) ?? queue.size;
        if (place >= first) continue;
        first = place;
        this.#turn[g] = turn;
      }
      this.#current[g] =
        old === undefined ? Math.round(((queue.size - 1) / 2 - first) * weight) : (previous.#current[old] as number);
    }
    this.#balance();
  }

  /** How many turns of a group come before that of each of its members. */
  #placesIn(g: number): Map<Member<T>, number> {
    const { members } = this.#groups[g] as Group<T>;
    const turn = this.#turn[g] as number;
    return new Map(members.map((member, index) => [member, (index - turn + members.length) % members.length]));
  }

  /** All members in the order in which they are about due: group by group, the one that leads first. */
  #queue(): Map<Member<T>, number> {
    const due = [...this.#groups.keys()].sort((a, b) => (this.#current[b] as number) - (this.#current[a] as number));
    const queue = new Map<Member<T>, number>();
    for (const g of due) {
      const { members } = this.#groups[g] as Group<T>;
      const turn = this.#turn[g] as number;
      for (let step = 0; step < members.length; step++) {
        const member = members[(turn + step) % members.length] as Member<T>;
        if (!queue.has(member)) queue.set(member, queue.size);
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

/** Members that take turns. */
interface Group<T> {
  /** By what a group is known again after a change. */
  readonly label: unknown;
  readonly members: readonly Member<T>[];
  /** What each of them gets of the picks through this group. */
  readonly weight: number;
}

function group<T>(members: readonly Member<T>[]): Group<T>[] {
  const weight = (members[0] as Member<T>).weight;
  if (members.every((member) => member.weight === weight)) return [{ label: 'equal', members, weight: 1 }];
  if (members.length <= mostSingles) {
    return members.map((member) => ({ label: member, members: [member], weight: member.weight }));
  }
  const groups: Group<T>[] = [];
  for (let bit = 256; bit > 0; bit >>= 1) {
    const peers = members.filter((member) => (member.weight & bit) !== 0);
    if (peers.length > 0) groups.push({ label: bit, members: peers, weight: bit });
  }
  return groups;
}
