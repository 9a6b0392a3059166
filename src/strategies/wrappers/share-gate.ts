import type { Member } from '../../core/member.ts';
import { unlimited } from '../../core/member-spec.ts';
import type { Random } from '../../core/random.ts';
import { avalanche, murmur3 } from '../murmur3.ts';
import type { Picker, PickRequest } from '../strategy.ts';
import { firstFit } from './wrapper-picker.ts';

/** What a member that is held back may have. */
export class Allowance {
  /** Of its fair share: above 0, up to 1. */
  factor = 1;
  /** Connections at a time. */
  limit: number = unlimited;
  /** `factor` against the highest one there is: who has that one is not held back. */
  opening = 1;
  /** Picks that it may have now. */
  credit: number;
  /** How far the gate's deal had come when the credit was last brought up to date. */
  seen = 0;
  readonly weight: number;
  /** Tells its part of the clients from that of other members. */
  readonly seed: number;

  constructor(member: Member<unknown>, credit: number) {
    this.weight = member.weight;
    this.seed = murmur3(member.id);
    this.credit = credit;
  }
}

/** Debt is forgiven beyond this, or a member that served while no other could would starve later. */
const mostDebt = 2;

/**
 * Lets chosen members have only a part of their fair share of the picks, with any strategy inside, one that ignores weights too.
 *
 * A member held back to a factor f earns credit with each pick that anybody gets, f·w of the sum of all members' factor·weight,
 * and pays 1 for each that it gets itself. The inner picker sees it as a member that cannot take the client while it has less
 * than 1. So its picks and those of a member that is not held back are as f to 1, and never more, however idle it is. Credit that it
 * cannot use at once (round robin must come round, chance must hit) is kept, up to a limit that grows as f nears 1.
 *
 * Where the inner picker places clients by a hash, the part f of the client's hashes is let through instead: with a rising f
 * each client moves to the member once and stays.
 *
 * The gate stands in for the request that it holds back: one object, refilled for each pick.
 *
 * Cost: while nobody is held back nothing; else one look-up in a small map for each member that the inner picker asks about.
 */
export class ShareGate<T> implements PickRequest<T> {
  readonly #allowances = new Map<Member<T>, Allowance>();
  readonly #members: readonly Member<T>[];
  readonly #random: Random;
  /** The weight of all members that are not held back. */
  #freeWeight: number;
  /** What a unit of factor·weight has earned since the gate was made, and what it earns with each pick. */
  #dealt = 0;
  #deal = 0;
  #request: PickRequest<T> | undefined;
  #hash: number | undefined;

  /** @param members all among whom the picks are shared out */
  constructor(members: readonly Member<T>[], random: Random) {
    this.#members = members;
    this.#random = random;
    this.#freeWeight = members.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** How many members are held back. */
  get size(): number {
    return this.#allowances.size;
  }

  /**
   * Holds a member back, once `balance()` has been called.
   *
   * @param credit to start with. By default below 1 by chance: or all balancers would send it their first client together
   */
  hold(member: Member<T>, credit: number = this.#random()): Allowance {
    const allowance = new Allowance(member, credit);
    allowance.seen = this.#dealt;
    this.#allowances.set(member, allowance);
    this.#freeWeight -= allowance.weight;
    return allowance;
  }

  letGo(member: Member<T>): void {
    const allowance = this.#allowances.get(member);
    if (allowance === undefined) return;
    this.#allowances.delete(member);
    this.#freeWeight += allowance.weight;
  }

  /** Changes a factor, once `balance()` has been called: what was earned so far was earned at the old one. */
  change(allowance: Allowance, factor: number): void {
    this.#settle(allowance);
    allowance.factor = factor;
  }

  /** Takes changed factors into account. O(held back). */
  balance(): void {
    let total = this.#freeWeight;
    let highest = this.#freeWeight > 0 ? 1 : 0;
    for (const { factor, weight } of this.#allowances.values()) {
      total += factor * weight;
      highest = Math.max(highest, factor);
    }
    this.#deal = 1 / total;
    for (const allowance of this.#allowances.values()) {
      this.#settle(allowance);
      allowance.opening = allowance.factor / highest;
    }
  }

  /** The inner picker's choice among those who may have the client; where that is nobody, its choice among all. */
  pick(inner: Picker<T>, request: PickRequest<T>): Member<T> | undefined {
    this.#request = request;
    this.#hash = inner.hashOf?.(request);
    const choice = inner.pick(this);
    if (choice === undefined || choice === null) return inner.pick(request);
    if (this.accepts(choice)) return choice;
    // The picker does not ask whom it may pick. Always the next in line would double the load of that one.
    const start = Math.floor(this.#random() * this.#members.length);
    return firstFit(this.#members, start, this) ?? choice;
  }

  /** A member got a client. */
  acquired(member: Member<T>): void {
    this.#dealt += this.#deal;
    const allowance = this.#allowances.get(member);
    if (allowance === undefined) return;
    this.#settle(allowance);
    allowance.credit = Math.max(-mostDebt, allowance.credit - 1);
  }

  /** The credit that a member has left. */
  creditOf(member: Member<T>): number | undefined {
    const allowance = this.#allowances.get(member);
    if (allowance !== undefined) this.#settle(allowance);
    return allowance?.credit;
  }

  accepts(member: Member<T>): boolean {
    const allowance = this.#allowances.get(member);
    if (allowance !== undefined && !this.#admits(member, allowance)) return false;
    return this.#request?.accepts(member) === true;
  }

  get clientAddress(): string | undefined {
    return this.#request?.clientAddress;
  }

  get clientPort(): number | undefined {
    return this.#request?.clientPort;
  }

  get key(): string | undefined {
    return this.#request?.key;
  }

  get path(): string | undefined {
    return this.#request?.path;
  }

  readonly header = (name: string): string | undefined => this.#request?.header(name);

  #admits(member: Member<T>, allowance: Allowance): boolean {
    if (member.stats.activeConnections >= allowance.limit) return false;
    if (allowance.opening >= 1) return true;
    if (this.#hash !== undefined) return avalanche(this.#hash ^ allowance.seed) < allowance.opening * 0x1_0000_0000;
    this.#settle(allowance);
    return allowance.credit >= 1;
  }

  /**
   * Brings the credit up to date. Where chance decides whether the member is picked, credit waits like customers at a counter that is
   * busy for the part f of the time; the room that such a queue needs to turn almost nobody away grows with 1 / (1 - f).
   */
  #settle(allowance: Allowance): void {
    const earned = (this.#dealt - allowance.seen) * allowance.factor * allowance.weight;
    allowance.seen = this.#dealt;
    const most = allowance.opening < 1 ? 1 + 2 / (1 - allowance.opening) : 1;
    allowance.credit = Math.min(Math.max(most, allowance.credit), allowance.credit + earned);
  }
}
