import type { Member } from '../../core/member.ts';
import type { PickRequest } from '../strategy.ts';

/** Where a hash strategy looks a client up: a mapping from the 64 bits of a hashed key to members. */
export interface HashTable<T> {
  /**
   * The member for a hashed key. Where the candidates do not include it: the next one that they do by the table's own order,
   * which for a given key is always the same; undefined where there is none.
   *
   * @param high the upper half of the hash, signed
   * @param low the lower half, signed
   */
  find(high: number, low: number, candidates: Candidates<T>): Member<T> | undefined;
}

/** Says of a member whether it may be picked. */
export type Candidates<T> = Pick<PickRequest<T>, 'accepts'>;
