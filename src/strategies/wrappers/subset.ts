import type { Member } from '../../core/member.ts';
import { Fields, integer, name } from '../../core/spec.ts';
import type { StrategyName } from '../built-in.ts';
import { murmur3 } from '../murmur3.ts';
import type { Picker, PickRequest, Strategy, StrategyContext } from '../strategy.ts';
import { aperture } from './aperture.ts';
import { hashOrder } from './hash-order.ts';
import { ShareGate } from './share-gate.ts';
import { firstFit, prepareInner, previousOf, readInner, Wrapper, WrapperPicker } from './wrapper-picker.ts';

export interface SubsetOptions {
  /** How many members this client uses, 1 to 65536; all of them where there are no more. */
  readonly size: number;
  /**
   * Which of all the clients (processes with a pool of the same members) this one is. Either a name of its own, 1 to 255
   * characters, or its number: `index` from 0 to `of` - 1, and `of` from 1 to 1000000 in all.
   */
  readonly client: string | { readonly index: number; readonly of: number };
}

/**
 * A few members instead of all, so that a thousand clients need not each hold connections to every member. Which ones follows from
 * the client, the members' ids and, of numbered clients, the weights: no client asks another.
 *
 * - A named client has the `size` members whose hash of (client, id) is lowest (rendezvous). A member that goes or comes changes
 *   one of them at most. The spread over the members is by chance. Weights do not decide who is in, the strategy inside heeds them.
 * - A numbered client has its stretch of the ring of all members (`aperture`), a few more than `size`, of which it may pick the
 *   outermost only in part: over all clients each member gets its weight's share exactly, if all send as much and the strategy
 *   inside heeds weights. A member that goes or comes moves the stretches of most clients a little.
 *
 * Where all of them are full or were tried, others serve, first those who would be next: it never costs a client.
 *
 * Source: gRPC A68 and httplb; Finagle. Cost: a pick nothing but, of a numbered client, that of `ShareGate`; preparing O(n log n).
 * Throws `SpecError`.
 */
export function subset<T = unknown>(strategy: Strategy<T> | StrategyName, options: SubsetOptions): Strategy<T> {
  const inner = readInner(strategy);
  const fields = new Fields(options, '', ['size', 'client']);
  const size = fields.require('size', integer(1, 65_536));
  const client = fields.require('client', readClient);
  return new Wrapper('subset', inner, (members, previous, context) => {
    const before = previousOf<T, SubsetPicker<T>>(SubsetPicker, previous);
    const choice = choose(members, client, size);
    return new SubsetPicker(members, choice, inner, before === undefined ? previous : before.inner, context);
  });
}

function readClient(value: unknown, path: string): SubsetOptions['client'] {
  if (typeof value === 'string') return name(value, path);
  const fields = new Fields(value, path, ['index', 'of']);
  const of = fields.require('of', integer(1, 1_000_000));
  return { index: fields.require('index', integer(0, of - 1)), of };
}

/** The members in the order in which the client turns to them, as indexes. */
interface Choice {
  readonly order: Int32Array;
  /** How much of each of the first may be used, above 0 up to 1: as many as the subset has. */
  readonly shares: readonly number[];
}

function choose(members: readonly Member<unknown>[], client: SubsetOptions['client'], size: number): Choice {
  if (typeof client === 'string') {
    const count = Math.min(size, members.length);
    return { order: hashOrder(members, murmur3(client)), shares: new Array<number>(count).fill(1) };
  }
  const ring = hashOrder(members, 0);
  const weights = Array.from(ring, (index) => (members[index] as Member<unknown>).weight);
  const { start, covered } = aperture(weights, client.index, client.of, size);
  return { order: ring.map((_, place) => ring[(start + place) % ring.length] as number), shares: covered };
}

class SubsetPicker<T> extends WrapperPicker<T> {
  readonly inner: Picker<T>;
  /** The subset, in the pool's order. */
  readonly #subset: readonly Member<T>[];
  /** The others, in the order in which the client turns to them. */
  readonly #others: readonly Member<T>[];
  readonly #gate: ShareGate<T>;

  constructor(
    members: readonly Member<T>[],
    { order, shares }: Choice,
    strategy: Strategy<T>,
    previous: Picker<T> | undefined,
    context: StrategyContext,
  ) {
    super();
    const chosen = order.slice(0, shares.length).sort();
    this.#subset =
      chosen.length === members.length ? members : Array.from(chosen, (index) => members[index] as Member<T>);
    this.#others = Array.from(order.subarray(shares.length), (index) => members[index] as Member<T>);
    this.inner = prepareInner(strategy, this.#subset, previous, context);
    this.passOnTo([this.inner], routeTo(chosen, members.length));
    this.#gate = new ShareGate(this.#subset, context.random);
    for (const [place, share] of shares.entries()) {
      if (share < 1) this.#gate.hold(members[order[place] as number] as Member<T>).factor = share;
    }
    this.#gate.balance();
    if (this.#gate.size === 0) return;
    const { acquired } = this;
    this.acquired = (member, place) => {
      this.#gate.acquired(member);
      acquired?.(member, place);
    };
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    const choice = this.#gate.size === 0 ? this.inner.pick(request) : this.#gate.pick(this.inner, request);
    if (choice === undefined || choice === null) return firstFit(this.#others, 0, request);
    if (request.accepts(choice)) return choice;
    const start = this.#subset.indexOf(choice) + 1;
    return firstFit(this.#subset, start, request) ?? firstFit(this.#others, 0, request);
  }
}

function routeTo(chosen: Int32Array, count: number) {
  const picker = new Int32Array(count).fill(-1);
  const place = new Int32Array(count);
  for (const [inSubset, index] of chosen.entries()) {
    picker[index] = 0;
    place[index] = inSubset;
  }
  return { picker, place };
}
