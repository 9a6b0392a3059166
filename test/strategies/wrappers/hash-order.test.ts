import { describe, expect, test } from 'vitest';
import { murmur3 } from '../../../src/strategies/murmur3.ts';
import { hashOrder } from '../../../src/strategies/wrappers/hash-order.ts';
import { equal, makePool } from '../../fixtures/core.ts';

const members = [...makePool({ members: equal(300) }).members];
const inOrder = (list: typeof members, seed = 7): string[] =>
  Array.from(hashOrder(list, seed), (index) => list[index]?.id ?? '');

describe('the order by hash', () => {
  test('is ascending by the hash of id and seed', () => {
    const hashes = inOrder(members).map((id) => murmur3(id, 7));
    expect(hashes).toEqual([...hashes].sort((a, b) => a - b));
  });

  test('has every member once', () => {
    expect(new Set(inOrder(members)).size).toBe(300);
  });

  test('does not depend on the order of the list', () => {
    expect(inOrder([...members].reverse())).toEqual(inOrder(members));
  });

  test('of the others is the same without a member', () => {
    const without = members.filter(({ id }) => id !== 'm17');
    expect(inOrder(without)).toEqual(inOrder(members).filter((id) => id !== 'm17'));
  });

  test('is another one for another seed', () => {
    expect(inOrder(members, 8)).not.toEqual(inOrder(members));
  });

  test('is by id among members whose hashes agree', () => {
    const colliding = collidingIds();
    const twins = [
      ...makePool({ members: equal(2).map((member, at) => ({ ...member, id: colliding[at] ?? '' })) }).members,
    ];
    expect(murmur3(colliding[0] ?? '', 0)).toBe(murmur3(colliding[1] ?? '', 0));
    expect(inOrder(twins, 0)).toEqual([...colliding].sort());
    expect(inOrder(twins.reverse(), 0)).toEqual([...colliding].sort());
  });
});

/** Two ids with the same hash: by the birthday paradox there are some among a few hundred thousand. */
function collidingIds(): readonly string[] {
  const seen = new Map<number, string>();
  for (let number = 0; ; number++) {
    const id = `member-${number}`;
    const hash = murmur3(id, 0);
    const twin = seen.get(hash);
    if (twin !== undefined) return [id, twin];
    seen.set(hash, id);
  }
}
