import { GuardedHttpPersistence } from '../persistence/guarded-http-persistence.ts';
import type { HttpPersistence, Persistence, PersistenceRequest, PersistenceTable } from '../persistence/persistence.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import type { Member } from './member.ts';

/** What a pool's persistence remembers, and what came of it. */
export interface PersistenceStats {
  readonly name: string;
  /** How many clients it remembers; null where it does not say. */
  readonly size: number | null;
  /** How many it had to forget before their time, for want of room; null where it does not say. */
  readonly evicted: number | null;
  /** Leases that were led back to where their client was before. */
  readonly kept: number;
  /** Leases whose client was known, and got another member: its own could not serve it, or was gone. */
  readonly moved: number;
}

/** What an affinity asks of its pool. */
export interface AffinityHost<T> {
  /** Whether the pool has it. */
  has(member: Member<T>): boolean;
  /** A user's persistence threw, gave what makes no sense, or what it promised was rejected. */
  failed(message: string, cause: unknown): void;
}

/** A pool's persistence at work: what it remembers, kept from doing harm where it is a user's and throws. */
export class Affinity<T> {
  readonly #context: StrategyContext;
  readonly #host: AffinityHost<T>;
  #persistence: Persistence<T> | undefined;
  #table: PersistenceTable<T> | undefined;
  #http: HttpPersistence<T> | undefined;
  /** Leases, since this persistence began. */
  kept = 0;
  moved = 0;

  constructor(context: StrategyContext, host: AffinityHost<T>) {
    this.#context = context;
    this.#host = host;
  }

  /** Undefined where the pool has no persistence. */
  get table(): PersistenceTable<T> | undefined {
    return this.#table;
  }

  /** What it has to do with messages of HTTP, safe to ask; undefined where there is no persistence, or it is not interested. */
  get http(): HttpPersistence<T> | undefined {
    return this.#http;
  }

  /** Milliseconds that a client waits for what `find` promises. */
  get patience(): number {
    return this.#persistence?.timeout ?? 1000;
  }

  get stats(): PersistenceStats | undefined {
    if (this.#persistence === undefined) return undefined;
    const { kept, moved } = this;
    const { name } = this.#persistence;
    return { name, size: this.#count('size'), evicted: this.#count('evicted'), kept, moved };
  }

  /** Another persistence may carry on from what the one before remembers. What a user's `start` throws comes out, and nothing has changed. */
  follow(persistence: Persistence<T> | undefined, members: Iterable<Member<T>>): void {
    if (persistence === this.#persistence) return;
    const before = this.#table;
    const table = persistence?.start(this.#context, before);
    if (persistence !== undefined && (typeof table?.find !== 'function' || typeof table.keep !== 'function')) {
      throw new TypeError(`the persistence '${persistence.name}' did not start: a table has find and keep`);
    }
    const http = table?.http;
    this.#persistence = persistence;
    this.#table = table;
    if (table === before) return;
    this.#http = http && new GuardedHttpPersistence(http, this.#host);
    this.kept = this.moved = 0;
    this.#try('stop', () => before?.stop?.());
    if (table !== undefined) for (const member of members) this.joined(member);
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
      // Whatever a user's may give: null is what many a store says of what it does not know.
      const found: unknown = this.#table?.find(request);
      if (typeof found === 'string') return found;
      if (found === undefined || found === null) return undefined;
      if (isPromise<string | undefined>(found)) return found;
      throw new TypeError(`expected a member's id, and got ${typeof found}`);
    } catch (cause) {
      this.notFound(cause);
      return undefined;
    }
  }

  /** Nobody waits for what `find` has promised. */
  disregard(found: PromiseLike<unknown>): void {
    // Wrapped, since what is no promise of the language's own may throw.
    Promise.resolve(found).then(undefined, (cause) => this.notFound(cause));
  }

  /** What `find` promised did not come. */
  notFound(cause: unknown): void {
    this.#host.failed('the persistence could not say where the client belongs', cause);
  }

  keep(request: PersistenceRequest, member: Member<T>): void {
    try {
      const kept: unknown = this.#table?.keep(request, member);
      if (isPromise(kept)) Promise.resolve(kept).then(undefined, (cause) => this.#notKept(cause));
    } catch (cause) {
      this.#notKept(cause);
    }
  }

  #notKept(cause: unknown): void {
    this.#host.failed('the persistence could not keep where the client belongs', cause);
  }

  #count(name: 'size' | 'evicted'): number | null {
    let count: unknown;
    this.#try(name, () => {
      count = this.#table?.[name];
    });
    return Number.isFinite(count) ? (count as number) : null;
  }

  #try(what: string, act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.#host.failed(`the persistence threw in ${what}`, cause);
    }
  }
}

function isPromise<Value>(value: unknown): value is PromiseLike<Value> {
  if (typeof value !== 'object' || value === null) return false;
  return typeof (value as { readonly then?: unknown }).then === 'function';
}
