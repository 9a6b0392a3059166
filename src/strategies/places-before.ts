import type { Member } from '../core/member.ts';

/**
 * Where each of a picker's members was in the list of the picker before; -1 for one that was not in it.
 *
 * Cost: O(n), and without looking anybody up where no more than one member has gone.
 */
export function placesBefore<T>(members: readonly Member<T>[], membersBefore: readonly Member<T>[]): Int32Array {
  let index: Map<Member<T>, number> | undefined;
  let shift = 0;
  return Int32Array.from(members, (member, place) => {
    if (membersBefore[place + shift] === member) return place + shift;
    if (membersBefore[place + shift + 1] === member) {
      shift++;
      return place + shift;
    }
    index ??= new Map(membersBefore.map((each, placeBefore) => [each, placeBefore]));
    const found = index.get(member) ?? -1;
    shift = found < 0 ? shift - 1 : found - place;
    return found;
  });
}
