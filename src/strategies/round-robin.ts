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

class RoundRobinPicker<T> implements Picker<T> {
  /** Members that take turns: group `g` gets `#weights[g]` of `#total` picks. */
  readonly #groups: readonly Group<T>[];
  readonly #weights: Int32Array;
  readonly #total: number;
  /** nginx's "current weight" of each group; they sum up to 0. */
  readonly #current: Int32Array;
  /** Whose turn it is within each group. */
  readonly #turn: Int32Array;

  constructor(members: readonly Member<T>[], previous: Picker<T> | undefined) {
    this.#groups = group(members);
    this.#weights = Int32Array.from(this.#groups, (group) => group.members.length * group.weight);
    this.#total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    this.#current = new Int32Array(this.#groups.length);
    this.#turn = new Int32Array(this.#groups.length);
    if (previous instanceof RoundRobinPicker) this.#carryOn(previous);
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    const index = this.#weights.length === 1 ? 0 : this.#heaviest();
    const peers = (this.#groups[index] as Group<T>).members;
    const turn = this.#turn[index] as number;
    const member = peers[turn] as Member<T>;
    if (!request.accepts(member)) return this.#pickAccepted(request);
    this.#turn[index] = turn + 1 === peers.length ? 0 : turn + 1;
    if (this.#weights.length > 1) {
      const current = this.#current;
      for (let g = 0; g < current.length; g++) (current[g] as number) += this.#weights[g] as number;
      (current[index] as number) -= this.#total;
    }
    return member;
  }

  /** The group that leads once each has gained its weight; the first of several. */
  #heaviest(): number {
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

  /** The same step among those groups only that have an acceptable member, as nginx leaves out peers that cannot serve. */
  #pickAccepted(request: PickRequest<T>): Member<T> | undefined {
    const current = this.#current;
    let best = -1;
    let bestTurn = 0;
    let total = 0;
    for (let g = 0; g < current.length; g++) {
      const turn = this.#acceptedTurn(g, request);
      if (turn < 0) continue;
      (current[g] as number) += this.#weights[g] as number;
      total += this.#weights[g] as number;
      if (best < 0 || (current[g] as number) > (current[best] as number)) {
        best = g;
        bestTurn = turn;
      }
    }
    if (best < 0) return undefined;
    (current[best] as number) -= total;
    const peers = (this.#groups[best] as Group<T>).members;
    this.#turn[best] = (bestTurn + 1) % peers.length;
    return peers[bestTurn];
  }

  #acceptedTurn(g: number, request: PickRequest<T>): number {
    const peers = (this.#groups[g] as Group<T>).members;
    const first = this.#turn[g] as number;
    for (let step = 0; step < peers.length; step++) {
      const turn = (first + step) % peers.length;
      if (request.accepts(peers[turn] as Member<T>)) return turn;
    }
    return -1;
  }

  /**
   * Takes over where the previous picker stood, so that a change does not send the next clients to the first members again: a
   * group that there was before keeps its standing, and the turn in it goes to the member that had it, or the next that is left.
   */
  #carryOn(previous: RoundRobinPicker<T>): void {
    const before = new Map(previous.#groups.map((group, g) => [group.label, g]));
    for (const [g, { label, members }] of this.#groups.entries()) {
      const old = before.get(label);
      if (old === undefined) continue;
      this.#current[g] = previous.#current[old] as number;
      const oldMembers = (previous.#groups[old] as Group<T>).members;
      const oldTurn = previous.#turn[old] as number;
      const indexOf = new Map(members.map((member, index) => [member, index]));
      for (let step = 0; step < oldMembers.length; step++) {
        const index = indexOf.get(oldMembers[(oldTurn + step) % oldMembers.length] as Member<T>);
        if (index === undefined) continue;
        this.#turn[g] = index;
        break;
      }
    }
    this.#balance();
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
