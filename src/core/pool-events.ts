import type { EjectionWithheld, MemberEjected, MemberReadmitted } from '../safeguards/outlier-events.ts';
import type { SheddingChange } from '../safeguards/shedding.ts';
import type { ListenerErrorEvent } from './emitter.ts';
import type { EvenkeelError } from './errors.ts';
import type { Member } from './member.ts';
import type { MemberStatus, OperatingStatus, StatusChange } from './status.ts';

export interface MemberStatusChange<T> extends StatusChange<MemberStatus> {
  readonly member: Member<T>;
  /** In words, for example `connect ECONNREFUSED 10.0.0.2:80`. */
  readonly reason: string;
}

export interface PoolEvents<T> extends ListenerErrorEvent {
  'member-status': [change: MemberStatusChange<T>];
  'member-added': [change: { readonly member: Member<T> }];
  /** The member takes no new clients; those it has may still run. */
  'member-removed': [change: { readonly member: Member<T> }];
  /** A drain's deadline passed with connections left: whoever holds them ends them now. */
  'drain-expired': [drain: { readonly member: Member<T>; readonly remaining: number }];
  /** Outlier detection has taken a member out. */
  'member-ejected': [ejection: MemberEjected<T>];
  /** An ejection is over. */
  'member-readmitted': [readmission: MemberReadmitted<T>];
  /** A member is an outlier, and goes on serving all the same. */
  'ejection-withheld': [outlier: EjectionWithheld<T>];
  /** A member that was back on trial has served a client well: it takes all now. */
  'trial-passed': [trial: { readonly member: Member<T> }];
  /** Too few members are healthy, and `panic` takes effect; or that is over. */
  panic: [change: { readonly isPanicking: boolean }];
  /** Clients have begun to wait in the pool's `queue`, or none has waited for a second. */
  queueing: [change: { readonly isQueueing: boolean }];
  /** `concurrencyLimit` or `retryBudget` has begun to turn leases away, or has turned none away for a second. */
  shedding: [change: SheddingChange];
  /**
   * A user's strategy or `concurrencyLimit` threw when it was told of a lease, or `classify` did; the lease is not affected. What
   * `pick` throws, `acquire()` throws.
   */
  'strategy-error': [error: EvenkeelError];
  /** A user's persistence threw, or rejected what it had promised; the client is served as one that is not known. */
  'persistence-error': [error: EvenkeelError];
  status: [change: StatusChange<OperatingStatus>];
}
