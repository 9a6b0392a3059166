import type { Member } from '../core/member.ts';
import { unlimited } from '../core/member-spec.ts';
import { PlaceSet } from './place-set.ts';
import type { Picker, PickRequest, Strategy } from './strategy.ts';

/**
 * The first member, in the order of the pool, that has room: fills one to its `maxConnections` before the next gets anybody, so that as
 * few as possible are busy and the rest can be switched off. Weights do not matter. A member without a limit takes everybody.
 *
 * Source: HAProxy's `first` (W. Tarreau, `src/lb_fas.c`, after A. Gandhi et al.), whose order is that of the servers' ids.
 *
 * Cost: a pick, an acquire and a release O(log n) to the base of 32 each (`PlaceSet`), also where nearly all members are full; those that
 * a client has tried are passed over one by one. Preparing O(n).
 */
export function first<T = unknown>(): Strategy<T> {
  return { name: 'first', prepare: (members) => new FirstPicker(members) };
}

class FirstPicker<T> implements Picker<T> {
  readonly #members: readonly Member<T>[];
  /** `maxConnections` by place, at hand. */
  readonly #limits: Int32Array;
  /** Who has room. */
  readonly #open: PlaceSet;

  constructor(members: readonly Member<T>[]) {
    this.#members = members;
    this.#limits = Int32Array.from(members, ({ maxConnections = unlimited }) => maxConnections);
    this.#open = new PlaceSet(members.length);
    for (const [place, member] of members.entries()) this.#review(member, place);
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    for (let place = this.#open.next(0); place >= 0; place = this.#open.next(place + 1)) {
      const member = this.#members[place] as Member<T>;
      if (request.accepts(member)) return member;
    }
    return undefined;
  }

  acquired(member: Member<T>, place: number): void {
    this.#review(member, place);
  }

  released(member: Member<T>, place: number): void {
    this.#review(member, place);
  }

  #review({ stats: { activeConnections } }: Member<T>, place: number): void {
    if (activeConnections < (this.#limits[place] as number)) this.#open.add(place);
    else this.#open.delete(place);
  }
}
