import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Clients that do the same thing. */
export interface Kind {
  /** Kinds of the same name are counted together. */
  readonly name: string;
  /** How many are under way at a time. */
  readonly clients: number;
  /** How many questions each has. */
  readonly questions: number;
  /** Milliseconds between two questions, and between a client and its successor. */
  readonly pause: number;
  /** Whether no balancer can save what a dying backend takes with it; the client then comes again for what it still wants. */
  readonly canBeCut: boolean;
  /** Asks one question after the other and yields who answered each. Throws where there is no answer, or not the right one. */
  ask(questions: number, visit: Visit): AsyncIterable<string>;
}

/** One client's visit, which may have to end early. */
export interface Visit {
  readonly signal: AbortSignal;
  /** Waits between two questions. */
  pause(): Promise<void>;
}

/** What became of the clients. */
export interface Tally {
  /** Clients that got every answer they asked for. */
  served: number;
  /** Clients that did not. */
  failed: number;
  /** Visits that died together with the backend that they were at. Their clients came again and went on. */
  cut: number;
}

/** Clients that know one address, that of the virtual IP. Each one that is done is followed by another. */
export class Traffic implements AsyncDisposable {
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Why clients failed, in words. */
  readonly failures = new Set<string>();
  readonly #clients: Promise<unknown>;
  readonly #abort = new AbortController();
  #victim: { readonly name: string; readonly diedAt: number } | undefined;
  #isStopping = false;

  constructor(kinds: readonly Kind[]) {
    this.tallies = new Map(kinds.map(({ name }) => [name, { served: 0, failed: 0, cut: 0 }]));
    // As many wait for it as there are clients.
    setMaxListeners(0, this.#abort.signal);
    this.#clients = Promise.all(
      kinds.flatMap((kind) => Array.from({ length: kind.clients }, (_, index) => this.#comeAndGo(kind, index))),
    );
  }

  /** Of one kind, or of all together. */
  count(what: keyof Tally, name?: string): number {
    let sum = 0;
    for (const [kind, tally] of this.tallies) if (kind === (name ?? kind)) sum += tally[what];
    return sum;
  }

  /** Lets a backend die, and with it what cannot be saved; every visit that begins after its death must end well. */
  async outlive(name: string, death: () => Promise<void>): Promise<void> {
    this.#victim = { name, diedAt: Number.POSITIVE_INFINITY };
    await death();
    this.#victim = { name, diedAt: performance.now() };
  }

  /** Sends no new clients and resolves when those under way are done. */
  async finish(): Promise<void> {
    this.#isStopping = true;
    await this.#clients;
  }

  /** Ends whatever is still under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#clients;
  }

  async #comeAndGo(kind: Kind, index: number): Promise<void> {
    try {
      // Spread out, so that at any moment some are at their beginning and some near their end.
      await this.#wait((index / kind.clients) * kind.questions * kind.pause);
      while (!this.#isStopping) {
        await this.#beClient(kind);
        await this.#wait(kind.pause);
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    }
  }

  async #beClient(kind: Kind): Promise<void> {
    const tally = this.tallies.get(kind.name) as Tally;
    const visit: Visit = { signal: this.#abort.signal, pause: () => this.#wait(kind.pause) };
    let left = kind.questions;
    while (left > 0) {
      const cameAt = performance.now();
      let server: string | undefined;
      try {
        for await (server of kind.ask(left, visit)) left--;
      } catch (error) {
        this.#abort.signal.throwIfAborted();
        if (!kind.canBeCut || !this.#diedWithItsServer(cameAt, server)) {
          tally.failed++;
          this.failures.add(`${kind.name}: ${error instanceof Error ? error.message : error}`);
          return;
        }
        tally.cut++;
      }
    }
    tally.served++;
  }

  #diedWithItsServer(cameAt: number, server: string | undefined): boolean {
    if (this.#victim === undefined) return false;
    const { name, diedAt } = this.#victim;
    return cameAt <= diedAt && (server ?? name) === name;
  }

  #wait(duration: number): Promise<void> {
    return sleep(duration, undefined, { signal: this.#abort.signal });
  }
}
