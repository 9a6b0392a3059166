import { setMaxListeners } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What became of the clients. */
export interface Tally {
  /** Clients that got every answer they asked for. */
  served: number;
  /** Clients that did not. */
  failed: number;
  /** Connections that died together with the process at their other end. Their clients connected again and went on. */
  cut: number;
}

/** How many clients are under way at a time, how many questions each asks on its connection, and the pause between two. */
const kinds = [
  { clients: 16, questions: 1, pause: 25 },
  { clients: 12, questions: 20, pause: 100 },
] as const;

type Kind = (typeof kinds)[number];

/** Plain TCP clients that know one address, that of the virtual IP. Each one that is done is followed by another. */
export class Traffic implements AsyncDisposable {
  readonly tally: Tally = { served: 0, failed: 0, cut: 0 };
  /** Why clients failed, in words. */
  readonly failures = new Set<string>();
  readonly #port: number;
  readonly #clients: Promise<unknown>;
  readonly #abort = new AbortController();
  #victim: { readonly name: string; readonly diedAt: number } | undefined;
  #isStopping = false;

  constructor(port: number) {
    this.#port = port;
    // As many wait for it as there are clients.
    setMaxListeners(0, this.#abort.signal);
    this.#clients = Promise.all(
      kinds.flatMap((kind) => Array.from({ length: kind.clients }, (_, index) => this.#comeAndGo(kind, index))),
    );
  }

  /**
   * Lets a backend die. No balancer can save the TCP connections that end in it, and their clients connect again; every
   * connection opened after its death must work.
   */
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

  async #beClient({ questions, pause }: Kind): Promise<void> {
    let left = questions;
    while (left > 0) {
      const openedAt = performance.now();
      let server: string | undefined;
      try {
        for await (server of this.#ask(left, pause)) left--;
      } catch (error) {
        this.#abort.signal.throwIfAborted();
        if (!this.#diedWithItsServer(openedAt, server)) return this.#fail(error);
        this.tally.cut++;
      }
    }
    this.tally.served++;
  }

  /** Opens a connection, asks question after question, and yields who answered. */
  async *#ask(questions: number, pause: number): AsyncGenerator<string> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', signal: this.#abort.signal });
    try {
      const answers = answersOf(socket);
      for (let asked = 0; asked < questions; asked++) {
        if (asked > 0) await this.#wait(pause);
        socket.write('how are you?\n');
        const { value, done } = await answers.next();
        if (done === true) throw new Error('the connection ended before the answer');
        yield value;
      }
      socket.end();
    } finally {
      if (!socket.writableEnded) socket.destroy();
    }
  }

  #diedWithItsServer(openedAt: number, server: string | undefined): boolean {
    if (this.#victim === undefined) return false;
    const { name, diedAt } = this.#victim;
    return openedAt <= diedAt && (server ?? name) === name;
  }

  #fail(error: unknown): void {
    this.tally.failed++;
    this.failures.add(error instanceof Error ? error.message : String(error));
  }

  #wait(duration: number): Promise<void> {
    return sleep(duration, undefined, { signal: this.#abort.signal });
  }
}

/** The name of the backend that answers, once for each answer, which is a line. Throws where the connection breaks. */
async function* answersOf(socket: Socket): AsyncGenerator<string, undefined> {
  let text = '';
  // Between two answers nobody reads; what breaks then comes out at the next read.
  socket.on('error', () => {});
  for await (const chunk of socket.setEncoding('utf8')) {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      yield text.slice(0, text.indexOf(' '));
      text = text.slice(end + 1);
    }
  }
  return undefined;
}
