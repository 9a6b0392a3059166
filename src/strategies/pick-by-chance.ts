import type { Member } from '../core/member.ts';
import type { Random } from '../core/random.ts';
import type { PickRequest } from './strategy.ts';

/**
 * An acceptable member by chance, in proportion to its weight, where draws have missed too often: weighted reservoir sampling
 * of one, in which each acceptable member replaces the choice with its share of the weight so far. O(n).
 */
export function pickByChance<T>(
  members: readonly Member<T>[],
  request: PickRequest<T>,
  random: Random,
): Member<T> | undefined {
  let choice: Member<T> | undefined;
  let total = 0;
  for (const member of members) {
    if (!request.accepts(member)) continue;
    total += member.weight;
    if (random() * total < member.weight) choice = member;
  }
  return choice;
}
