import { systemClock } from '../../core/clock.ts';
import type { KeepAlive } from '../../core/keep-alive-spec.ts';
import type { Member } from '../../core/member.ts';
import type { Pool } from '../../core/pool.ts';
import type { WayToMembers } from '../way-to-members.ts';
import type { MemberConnection } from './member-connection.ts';

/**
 * Connections to members that wait for their next request. The one used last is used next: those that are not needed grow old and
 * go, and the others stay warm.
 */
export class KeptConnections<T> {
  /** By member, those used last at the end. */
  readonly #kept = new Map<Member<T>, MemberConnection<T>[]>();

  get areNone(): boolean {
    return this.#kept.size === 0;
  }

  /**
   * One that can be used at once, or undefined.
   *
   * @param way how it must have been opened
   * @param mostIdle milliseconds
   */
  take(member: Member<T>, way: WayToMembers, mostIdle: number): MemberConnection<T> | undefined {
    const kept = this.#kept.get(member);
    if (kept === undefined) return undefined;
    const now = systemClock.now();
    for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
      const isGood = last.way === way && isUsable(last, now);
      // Those below have waited for longer still.
      if (isGood && now - last.idleSince > mostIdle) return undefined;
      kept.pop();
      if (kept.length === 0) this.#kept.delete(member);
      if (isGood) return last;
      last.close();
    }
    return undefined;
  }

  /** Keeps one that was put by, if there is room. */
  add(connection: MemberConnection<T>, { maxIdle, idleTimeout }: KeepAlive): void {
    const { member, idleSince, mayIdleFor, retiresAt } = connection;
    connection.expiresAt = Math.min(retiresAt, idleSince + Math.min(mayIdleFor, idleTimeout));
    if ((this.#kept.get(member)?.length ?? 0) >= maxIdle) this.#prune(member, idleSince);
    const kept = this.#kept.get(member);
    if ((kept?.length ?? 0) >= maxIdle || !isUsable(connection, idleSince)) return connection.close();
    if (kept === undefined) this.#kept.set(member, [connection]);
    else kept.push(connection);
  }

  /**
   * Closes those that have waited, or lived, for too long, or were opened as the pool has them opened no more, and forgets those that
   * have closed by themselves.
   */
  expire(now: number, pool: Pool<T>): void {
    for (const member of this.#kept.keys()) this.#prune(member, now, pool);
  }

  #prune(member: Member<T>, now: number, pool?: Pool<T>): void {
    const isGood = (connection: MemberConnection<T>): boolean =>
      isUsable(connection, now) && (pool === undefined || connection.way.leadsWhere(pool));
    const kept = this.#kept.get(member) ?? [];
    const left = kept.filter(isGood);
    if (left.length === kept.length) return;
    for (const connection of kept) if (!isGood(connection)) connection.close();
    if (left.length > 0) this.#kept.set(member, left);
    else this.#kept.delete(member);
  }

  /** Closes those to a member. */
  drop(member: Member<T>): void {
    for (const connection of this.#kept.get(member) ?? []) connection.close();
    this.#kept.delete(member);
  }

  dropAll(): void {
    for (const member of [...this.#kept.keys()]) this.drop(member);
  }
}

function isUsable(connection: MemberConnection<unknown>, now: number): boolean {
  return connection.isUsable && now < connection.expiresAt;
}
