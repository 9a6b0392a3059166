import type { PickRequest } from '../strategies/strategy.ts';
import { type Member, stateOf } from './member.ts';

/** What the caller of `pool.acquire()` knows of the client. */
export interface AcquireRequest<T = unknown> {
  readonly clientAddress?: string | undefined;
  readonly clientPort?: number | undefined;
  /** What hash strategies place a client by where it has no address. */
  readonly key?: string | undefined;
  /** Members that this client has tried in vain. Given, even if empty, it makes the request count as a retry. */
  readonly exclude?: readonly Member<T>[] | undefined;
}

/** A pool has one of these and fills it for each pick, so that a pick allocates nothing. */
export class CurrentRequest<T> implements PickRequest<T> {
  clientAddress: string | undefined = undefined;
  clientPort: number | undefined = undefined;
  key: string | undefined = undefined;
  #exclude: readonly Member<T>[] | undefined = undefined;

  fill(request: AcquireRequest<T>): void {
    this.clientAddress = request.clientAddress;
    this.clientPort = request.clientPort;
    this.key = request.key;
    this.#exclude = request.exclude;
  }

  accepts(member: Member<T>): boolean {
    if (this.#exclude !== undefined && this.#exclude.includes(member)) return false;
    const state = stateOf(member);
    if (state.hasRoom) return true;
    state.counters.rejects++;
    return false;
  }

  /** `accepts`, for a member of which it is not even certain that it may serve: what a picker came up with. */
  permits(member: Member<T>): boolean {
    const state = stateOf(member);
    return state.isEligible && state.hasRoom && this.#exclude?.includes(member) !== true;
  }
}
