import type { Member } from '../core/member.ts';
import type { Picker, PickRequest, Strategy } from './strategy.ts';

/**
 * Smooth weighted round robin: in each cycle of as many picks as the weights sum up to, every member is picked exactly as
 * often as its weight says, and the picks of a heavy member are spread out (weights 5, 1, 1 give a a b a c a a).
 *
 * Source: nginx, `src/http/ngx_http_upstream_round_robin.c` (Maxim Dounin, 2012), whose sequence this is for pools of up to
 * 64 members. Larger pools run the same algorithm over groups of members of equal weight, and go round within a group: there
 * are at most 256 weights, so the cost does not grow with the number of members. Equal weights are a single group.
 *
 * Cost: a pick O(1) for equal weights, else O(number of groups), at most 256; preparing O(n).
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
  readonly #groups: (readonly Member<T>[])[];
  readonly #weights: Int32Array;
  readonly #total: number;
  /** nginx's "current weight" of each group; they sum up to 0. */
  readonly #current: Int32Array;
  /** Whose turn it is within each group. */
  readonly #turn: Int32Array;

  constructor(members: readonly Member<T>[], previous: Picker<T> | undefined) {
    this.#groups = group(members);
    this.#weights = Int32Array.from(this.#groups, (peers) => peers.length * (peers[0] as Member<T>).weight);
    this.#total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    this.#current = new Int32Array(this.#groups.length);
    this.#turn = new Int32Array(this.#groups.length);
    if (previous instanceof RoundRobinPicker) this.#carryOn(previous);
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    const index = this.#weights.length === 1 ? 0 : this.#heaviest();
    const peers = this.#groups[index] as readonly Member<T>[];
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
    const peers = this.#groups[best] as readonly Member<T>[];
    this.#turn[best] = (bestTurn + 1) % peers.length;
    return peers[bestTurn];
  }

  #acceptedTurn(g: number, request: PickRequest<T>): number {
    const peers = this.#groups[g] as readonly Member<T>[];
    const first = this.#turn[g] as number;
    for (let step = 0; step < peers.length; step++) {
      const turn = (first + step) % peers.length;
      if (request.accepts(peers[turn] as Member<T>)) return turn;
    }
    return -1;
  }

  /**
   * Takes over where the previous picker stood, so that a change does not send the next clients to the first members again:
   * within a group the turn stays with the member that had it (or the next that is left), and groups of the same weight keep
   * their standing.
   */
  #carryOn(previous: RoundRobinPicker<T>): void {
    const standing = new Map<Member<T>, { current: number; place: number }>();
    for (const [g, peers] of previous.#groups.entries()) {
      const turn = previous.#turn[g] as number;
      for (const [index, member] of peers.entries()) {
        const place = (index - turn + peers.length) % peers.length;
        standing.set(member, { current: previous.#current[g] as number, place });
      }
    }
    const keepsStanding = this.#groups.length > 1 && previous.#groups.length > 1;
    for (const [g, peers] of this.#groups.entries()) {
      let soonest = Number.POSITIVE_INFINITY;
      for (const [index, member] of peers.entries()) {
        const before = standing.get(member);
        if (before === undefined || before.place >= soonest) continue;
        soonest = before.place;
        this.#turn[g] = index;
        if (keepsStanding) this.#current[g] = before.current;
      }
    }
    if (keepsStanding) this.#balance();
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

function group<T>(members: readonly Member<T>[]): (readonly Member<T>[])[] {
  const byWeight = new Map<number, Member<T>[]>();
  for (const member of members) {
    const peers = byWeight.get(member.weight);
    if (peers === undefined) byWeight.set(member.weight, [member]);
    else peers.push(member);
  }
  if (byWeight.size === 1) return [members];
  return members.length <= mostSingles ? members.map((member) => [member]) : [...byWeight.values()];
}
