import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
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
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #clients: Promise<unknown>;
  #victim: { readonly name: string; readonly diedAt: number } | undefined;
  #isStopping = false;

  constructor(port: number) {
    this.#port = port;
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
    this.#isStopping = true;
    for (const socket of this.#sockets) socket.destroy();
    await this.#clients;
  }

  async #comeAndGo(kind: Kind, index: number): Promise<void> {
    // Spread out, so that at any moment some are at their beginning and some near their end.
    await sleep((index / kind.clients) * kind.questions * kind.pause);
    while (!this.#isStopping) {
      await this.#beClient(kind);
      await sleep(kind.pause);
    }
  }

  async #beClient({ questions, pause }: Kind): Promise<void> {
    let left = questions;
    while (left > 0) {
      const connection = { openedAt: performance.now(), server: undefined as string | undefined };
      try {
        for await (const server of this.#ask(left, pause)) {
          connection.server = server;
          left--;
        }
      } catch (error) {
        if (!this.#diedWithItsServer(connection)) return this.#fail(error);
        this.tally.cut++;
      }
    }
    this.tally.served++;
  }

  /** Opens a connection, asks question after question, and yields who answered. */
  async *#ask(questions: number, pause: number): AsyncGenerator<string> {
    const socket = connect(this.#port, '127.0.0.1');
    this.#sockets.add(socket);
    try {
      const answers = answersOf(socket);
      for (let asked = 0; asked < questions; asked++) {
        if (asked > 0) await sleep(pause);
        socket.write('how are you?\n');
        const { value, done } = await answers.next();
        if (done === true) throw new Error('the connection ended before the answer');
        yield value;
      }
      socket.end();
    } finally {
      if (!socket.writableEnded) socket.destroy();
      this.#sockets.delete(socket);
    }
  }

  #diedWithItsServer({ openedAt, server }: { openedAt: number; server: string | undefined }): boolean {
    if (this.#victim === undefined) return false;
    const { name, diedAt } = this.#victim;
    return openedAt <= diedAt && (server ?? name) === name;
  }

  #fail(error: unknown): void {
    this.tally.failed++;
    this.failures.push(error instanceof Error ? error.message : String(error));
  }
}

/** The name of the backend that answers, once for each answer. Throws where the connection breaks. */
async function* answersOf(socket: Socket): AsyncGenerator<string, undefined> {
  let broken: Error | undefined;
  socket.on('error', (error) => {
    broken = error;
  });
  for await (const line of createInterface(socket)) yield line.slice(0, line.indexOf(' '));
  if (broken !== undefined) throw broken;
  return undefined;
}
