import type { Member } from '../../core/member.ts';
import { murmur3 } from '../murmur3.ts';

/**
 * The members, as indexes, in an order by hashes of their ids: the same in every process that has the same members, whatever the
 * order they come in. Without a member the others' order is the same as with it. Each seed makes an order of its own.
 *
 * Cost: O(n log n), by the runtime's sort of numbers.
 */
export function hashOrder(members: readonly Member<unknown>[], seed: number): Int32Array {
  // Hash and index in one number, exact below 2^53: for up to two million members.
  const keys = Float64Array.from(members, ({ id }, index) => murmur3(id, seed) * mostMembers + index).sort();
  const order = Int32Array.from(keys, (key) => key % mostMembers);
  for (let end = 1, start = 0; end <= order.length; end++) {
    if (end < order.length && hashIn(keys, end) === hashIn(keys, start)) continue;
    if (end - start > 1) order.subarray(start, end).sort((a, b) => (idAt(members, a) < idAt(members, b) ? -1 : 1));
    start = end;
  }
  return order;
}

const mostMembers = 2 ** 21;

function hashIn(keys: Float64Array, index: number): number {
  return Math.floor((keys[index] as number) / mostMembers);
}

function idAt(members: readonly Member<unknown>[], index: number): string {
  return (members[index] as Member<unknown>).id;
}
