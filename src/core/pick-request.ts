import type { PickRequest } from '../strategies/strategy.ts';
import { type Member, stateOf } from './member.ts';
import type { MemberState } from './member-state.ts';

/** What the caller of `pool.acquire()` knows of the client. */
export interface AcquireRequest<T = unknown> {
  readonly clientAddress?: string | undefined;
  readonly clientPort?: number | undefined;
  /** What hash strategies place a client by: `source-ip` where it has no address, the others in any case. */
  readonly key?: string | undefined;
  /** Of an HTTP request: its target up to the query. */
  readonly path?: string | undefined;
  /** Of an HTTP request: the value of a field, by its name in lower case. */
  readonly header?: ((name: string) => string | undefined) | undefined;
  /** Members that this client has tried in vain. Given, even if empty, it makes the request count as a retry. */
  readonly exclude?: readonly Member<T>[] | undefined;
}

/** What is known of an HTTP request, for strategies that place clients by it. */
export interface RequestAttributes {
  /** The target up to the query. */
  readonly path: string;
  /** The value of a field, by its name in lower case; of several the list. Undefined where there is none. */
  header(name: string): string | undefined;
}

/** A pool has one of these and fills it for each pick, so that a pick allocates nothing. */
export class CurrentRequest<T> implements PickRequest<T> {
  #source: AcquireRequest<T> = {};
  #exclude: readonly Member<T>[] | undefined = undefined;

  fill(source: AcquireRequest<T>): void {
    this.#source = source;
    this.#exclude = source.exclude;
  }

  // Read only by strategies that ask: finding out a client's address can cost a system call.

  get clientAddress(): string | undefined {
    return this.#source.clientAddress;
  }

  get clientPort(): number | undefined {
    return this.#source.clientPort;
  }

  get key(): string | undefined {
    return this.#source.key;
  }

  get path(): string | undefined {
    return this.#source.path;
  }

  /** Bound, so that a user's function may take it out of the request. */
  readonly header = (name: string): string | undefined => this.#source.header?.(name);

  get isRetry(): boolean {
    return this.#exclude !== undefined;
  }

  accepts(member: Member<T>): boolean {
    const state = stateOf(member);
    // Its counters rather than the state's, which are the same: so counters and state are fetched from memory at once.
    const { activeConnections } = member.stats;
    if (activeConnections >= state.limit && !state.stretchesBeyond(activeConnections)) return false;
    if (state.circuit !== undefined && !state.circuit.permits(this.isRetry)) return false;
    return this.#exclude === undefined || !this.#exclude.includes(member);
  }

  /** `accepts`, of a choice that was made already. */
  permits(state: MemberState<T>): boolean {
    return this.accepts(state.member);
  }
}
