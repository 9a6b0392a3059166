import type { Clock } from '../core/clock.ts';
import type { Outcome } from '../core/lease.ts';
import type { LoadReport } from '../core/load-report.ts';
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
   * @param members the eligible members, in the pool's order; in panic also those that are down. Never empty, never changed afterwards
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
  /**
   * A lease was taken on the member; its `stats` already say so.
   *
   * @param place where the member is in the list that the picker was prepared for
   */
  acquired?(member: Member<T>, place: number): void;
  /**
   * How long the member took, at most once for each lease: until the first byte of an answer where those are told
   * (`lease.countFirstByte()`), else until the connection stood (`lease.connected()`), else until the lease was released with
   * success. Only where a picker has this are leases timed at all.
   *
   * @param now the clock's time
   */
  measured?(member: Member<T>, place: number, milliseconds: number, now: number): void;
  /** Whether a lease that was just taken is to be timed, which costs two looks at the clock. Without it each is. */
  wantsTime?(member: Member<T>, place: number): boolean;
  /** What `measured` is to tell. Default `'first-byte'`, as described there; `'last-byte'`: until the release of a lease that succeeded. */
  readonly measures?: 'first-byte' | 'last-byte' | undefined;
  /**
   * A lease on the member ended.
   *
   * @param outcome as the pool's `classify` sees it: an answer that counts as a failure is one
   * @param age milliseconds since it was taken; 0 where it was not timed
   * @param wasMeasured whether `measured` was called for it
   */
  released?(member: Member<T>, place: number, outcome: Outcome, age: number, wasMeasured: boolean): void;
  /** The member has told its load. */
  reported?(member: Member<T>, place: number, report: LoadReport): void;
  /**
   * What the picker places this client by, an unsigned 32-bit integer; undefined where it has nothing to place it by. Where there
   * are several levels of priority, a client of a hash strategy then keeps its level, too.
   */
  hashOf?(request: PickRequest<T>): number | undefined;
}

/** The client for whom a member is picked. Valid during `pick` only. */
export interface PickRequest<T = unknown> {
  readonly clientAddress: string | undefined;
  readonly clientPort: number | undefined;
  readonly key: string | undefined;
  /** Of an HTTP request: its target up to the query; else undefined. */
  readonly path: string | undefined;
  /** Of an HTTP request: the value of a field, by its name in lower case; undefined where there is none. */
  header(name: string): string | undefined;
  /** False for a member that is full, at another limit of its own, or that this client has already tried. */
  accepts(member: Member<T>): boolean;
}

export function isStrategy<T>(value: unknown): value is Strategy<T> {
  if (typeof value !== 'object' || value === null) return false;
  const strategy = value as Partial<Strategy<T>>;
  return typeof strategy.prepare === 'function' && typeof strategy.name === 'string';
}
