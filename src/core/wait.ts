import type { Acquired } from './lease.ts';
import type { AcquireRequest } from './pick-request.ts';

/** A client that waits for its member: for one that has room (`queue`), or for what a shared store knows of the client. */
export class Wait<T = unknown> {
  /** @internal */
  readonly request: AcquireRequest<T>;
  /** @internal the id of the member that persistence has led the client to */
  known: string | undefined;
  /** @internal milliseconds: when it began to wait in the queue */
  since = 0;
  /** Called once, when there is a result; not any more once it was called off. */
  whenOver: (() => void) | undefined;
  #stop: (() => void) | undefined;
  #result: Acquired<T> | undefined;
  #isOver = false;

  /** @internal made by `pool.acquireOrWait()` */
  constructor(request: AcquireRequest<T>) {
    this.request = request;
  }

  get refused(): false {
    return false;
  }

  get isWaiting(): true {
    return true;
  }

  /** @internal whether there is a result, or it was called off */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A lease, or why there is none; undefined before that. */
  get result(): Acquired<T> | undefined {
    return this.#result;
  }

  /** The client has left: nothing is to be done for it any more, and a lease that it has got already is released. */
  cancel(): void {
    if (this.#isOver && this.#result?.refused === false) this.#result.release('ignored');
    this.#isOver = true;
    this.whenOver = undefined;
    this.#stop?.();
    this.#stop = undefined;
  }

  /** @internal `stop` is called where it is called off */
  waitsIn(stop: () => void): void {
    this.#stop = stop;
  }

  /** @internal A lease for a client that has left while it was chosen, by what a user's strategy did perhaps, is released. */
  end(result: Acquired<T>): void {
    if (this.#isOver) {
      if (!result.refused) result.release('ignored');
      return;
    }
    this.#isOver = true;
    this.#stop = undefined;
    this.#result = result;
    this.whenOver?.();
  }
}
