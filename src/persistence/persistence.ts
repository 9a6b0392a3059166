import type { Member } from '../core/member.ts';
import type { AcquireRequest } from '../core/pick-request.ts';
import type { StrategyContext } from '../strategies/strategy.ts';

/**
 * A way to keep clients on the members that they have got. Built-in and user-written kinds have this same interface.
 *
 * It remembers; the pool decides. A member that is down, ejected, disabled, full or tried in vain is not used, whatever is
 * remembered, and the client that gets another one stays there; one that drains keeps the clients it has.
 */
export interface Persistence<T = unknown> {
  /** Shown in the status tree, for example `source-ip`. */
  readonly name: string;
  /** Milliseconds that a client waits for what `find` promises, 1 to 2147483647. Default 1000. */
  readonly timeout?: number | undefined;
  /** Whether it is of no use over TCP: then no TCP virtual IP may lead to its pool. Default false. */
  readonly needsHttp?: boolean | undefined;
  /**
   * Begins, for one pool. The pool then tells of each member it has (`joined`).
   *
   * @param previous the table that this one replaces, possibly of another kind: a place to carry on from. Nobody uses it
   * afterwards, but for the `http` of requests that are under way.
   */
  start(context: StrategyContext, previous?: PersistenceTable<T>): PersistenceTable<T>;
}

/**
 * What of a client and its request there is to know it by. A header is there to be read until `find` or `keep` returns; `cookie` is
 * as the client sent it, whatever goes on to the member.
 */
export type PersistenceRequest = Pick<AcquireRequest, 'clientAddress' | 'clientPort' | 'key' | 'path' | 'header'>;

/** What a pool's persistence remembers. */
export interface PersistenceTable<T = unknown> {
  /**
   * The id of the member that the client is to meet again; undefined where nothing is known of it. This counts as a use of what
   * is remembered.
   *
   * Where the answer takes time, a promise of it: then this client waits for it, and no other. One that is rejected, and
   * whatever is thrown, is told by the pool's `persistence-error` event, and the client is treated as unknown.
   */
  find(request: PersistenceRequest): string | undefined | PromiseLike<string | undefined>;
  /** The client gets this member, another one than `find` said. Nobody waits for a promise. */
  keep(request: PersistenceRequest, member: Member<T>): void | PromiseLike<void>;
  /** The pool has this member, from now on. */
  joined?(member: Member<T>): void;
  /** The pool does not have it any more. One of the same id that comes later is another one. */
  forget?(member: Member<T>): void;
  /** Nobody will ask any more, but for requests that are under way: the pool has another persistence now. */
  stop?(): void;
  /** How many clients it remembers, where it does; and how many it had to forget before their time, for want of room. */
  readonly size?: number;
  readonly evicted?: number;
  /** What it has to do with messages of HTTP; undefined for kinds that need no look at them. */
  readonly http?: HttpPersistence<T> | undefined;
}

/** How a persistence takes part in requests and answers. All of it is synchronous: heads do not wait. */
export interface HttpPersistence<T = unknown> {
  /**
   * What of a request's `Cookie` field goes on to the member, whichever that is; empty: no such field. Asked once for each field
   * of that name, before `find`.
   */
  forwarded(cookies: string): string;
  /**
   * The final answer of a member (or its 101) has a `Set-Cookie` field of this value: says whether it goes on to the client. Asked
   * before `cookieFor`, also where the member has left the pool in the meantime.
   *
   * @param cookie without line breaks, as everywhere in a head that was read
   */
  answered(cookie: string, member: Member<T>): boolean;
  /**
   * The value of a `Set-Cookie` field to be added to the final answer (or the 101) of a member that is not the one that `find`
   * said for this request; undefined: none. Where one is added, and a shared cache could keep the answer, `Cache-Control:
   * private` is added, too.
   *
   * @param path of the request's target
   */
  cookieFor(member: Member<T>, path: string): string | undefined;
}
