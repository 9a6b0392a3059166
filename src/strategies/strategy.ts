import type { Clock } from '../core/clock.ts';
import type { Outcome } from '../core/lease.ts';
import type { Member } from '../core/member.ts';
import type { Random } from '../core/random.ts';

/**
 * A load-balancing algorithm. It is asked to prepare a picker whenever the eligible members, their order or their settings change;
 * eligibility (enabled, healthy, weight above 0, not draining, backup) is the pool's business. Built-in and user-written
 * strategies have this same interface.
 */
export interface Strategy<T = unknown> {
  /** Shown in the status tree, for example `round-robin`. */
  readonly name: string;
  /**
   * @param members the eligible members, in the pool's order; never empty, never changed afterwards
   * @param previous the picker that this one replaces, possibly of another strategy: a place to carry on from
   */
  prepare(members: readonly Member<T>[], previous: Picker<T> | undefined, context: StrategyContext): Picker<T>;
}

/** What a strategy needs of the outside world. */
export interface StrategyContext {
  readonly random: Random;
  readonly clock: Clock;
}

/** A strategy prepared for one set of members. */
export interface Picker<T = unknown> {
  /**
   * The member for a client, one that `request.accepts`; undefined where there is none. What a picker returns against
   * `accepts` is replaced by the next member in the pool's order that is acceptable.
   */
  pick(request: PickRequest<T>): Member<T> | undefined;
  /** A lease was taken on the member; its `stats` already say so. */
  acquired?(member: Member<T>): void;
  /** A lease on the member ended. The member may be none of this picker's. */
  released?(member: Member<T>, outcome: Outcome): void;
}

/** The client for whom a member is picked. Valid during `pick` only. */
export interface PickRequest<T = unknown> {
  readonly clientAddress: string | undefined;
  readonly clientPort: number | undefined;
  readonly key: string | undefined;
  /** False for a member that is full or that this client has already tried. */
  accepts(member: Member<T>): boolean;
}

export function isStrategy<T>(value: unknown): value is Strategy<T> {
  if (typeof value !== 'object' || value === null) return false;
  const strategy = value as Partial<Strategy<T>>;
  return typeof strategy.prepare === 'function' && typeof strategy.name === 'string';
}
