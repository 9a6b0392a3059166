import type { Persistence, PersistenceRequest, PersistenceTable } from '../persistence/persistence.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import type { Member } from './member.ts';

/** A pool's persistence at work: what it remembers, kept from doing harm where it is a user's and throws. */
export class Affinity<T> {
  readonly #context: StrategyContext;
  readonly #failed: (message: string, cause: unknown) => void;
  #persistence: Persistence<T> | undefined;
  #table: PersistenceTable<T> | undefined;

  /** @param failed a user's persistence threw, or what it promised was rejected */
  constructor(context: StrategyContext, failed: (message: string, cause: unknown) => void) {
    this.#context = context;
    this.#failed = failed;
  }

  /** Undefined where the pool has no persistence. */
  get table(): PersistenceTable<T> | undefined {
    return this.#table;
  }

  /** Milliseconds that a client waits for what `find` promises. */
  get patience(): number {
    return this.#persistence?.timeout ?? 1000;
  }

  /** Another persistence may carry on from what the one before remembers. What a user's `start` throws comes out, and nothing has changed. */
  follow(persistence: Persistence<T> | undefined, members: Iterable<Member<T>>): void {
    if (persistence === this.#persistence) return;
    const before = this.#table;
    const table = persistence?.start(this.#context, before);
    this.#persistence = persistence;
    this.#table = table;
    if (table !== before) this.#try('stop', () => before?.stop?.());
    if (table !== undefined && table !== before) for (const member of members) this.joined(member);
  }

  joined(member: Member<T>): void {
    this.#try('joined', () => this.#table?.joined?.(member));
  }

  forget(member: Member<T>): void {
    this.#try('forget', () => this.#table?.forget?.(member));
  }

  /** The id of the member that the client is to meet again, or a promise of it. */
  find(request: PersistenceRequest): string | undefined | PromiseLike<string | undefined> {
    try {
      return this.#table?.find(request);
    } catch (cause) {
      this.notFound(cause);
      return undefined;
    }
  }

  /** What `find` promised did not come. */
  notFound(cause: unknown): void {
    this.#failed('the persistence could not say where the client belongs', cause);
  }

  keep(request: PersistenceRequest, member: Member<T>): void {
    try {
      const kept = this.#table?.keep(request, member);
      if (kept !== undefined) kept.then(undefined, (cause) => this.#notKept(cause));
    } catch (cause) {
      this.#notKept(cause);
    }
  }

  #notKept(cause: unknown): void {
    this.#failed('the persistence could not keep where the client belongs', cause);
  }

  #try(what: string, act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.#failed(`the persistence threw in ${what}()`, cause);
    }
  }
}
