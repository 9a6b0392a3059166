import type { Member } from '../core/member.ts';
import type { Random } from '../core/random.ts';
import { AliasTable } from './alias-table.ts';
import { pickByChance } from './pick-by-chance.ts';
import type { Picker, PickRequest, Strategy } from './strategy.ts';

/**
 * A member by chance, in proportion to its weight. Knows nothing and shares nothing, so any number of balancers can use it
 * side by side.
 *
 * Source: the alias method (`AliasTable` says whose).
 *
 * Cost: a pick O(1); preparing O(n). Where the draw is not acceptable it is repeated a few times, then decided among the
 * acceptable members in O(n).
 */
export function random<T = unknown>(): Strategy<T> {
  return {
    name: 'random',
    prepare: (members, _previous, context) => new RandomPicker(members, context.random),
  };
}

/** With half of the members acceptable, eight draws miss once in 256. */
const mostDraws = 8;

class RandomPicker<T> implements Picker<T> {
  readonly #members: readonly Member<T>[];
  readonly #random: Random;
  readonly #table: AliasTable;

  constructor(members: readonly Member<T>[], random: Random) {
    this.#members = members;
    this.#random = random;
    this.#table = new AliasTable(
      Int32Array.from(members, (member) => member.weight),
      random,
    );
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    for (let draw = 0; draw < mostDraws; draw++) {
      const member = this.#members[this.#table.draw()] as Member<T>;
      if (request.accepts(member)) return member;
    }
    return pickByChance(this.#members, request, this.#random);
  }
}
