import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type Message, readRequest } from './message.ts';
import type { Progress } from './progress.ts';
import { Wire } from './wire.ts';

/** A request, and the connection that it came on. */
export interface Arrival {
  readonly request: Message;
  readonly wire: Wire;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** What the proxy passes requests to. It says what a row makes it say, and nothing else. */
export class Member implements AsyncDisposable {
  /** Every connection that there ever was. */
  readonly wires: Wire[] = [];
  readonly place: Place;
  readonly #server: Server;
  #standing: string | undefined;

  private constructor(server: Server, progress: Progress) {
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.place = { host: address, port };
    server.on('connection', (socket) => {
      const wire = new Wire(socket, progress);
      this.wires.push(wire);
      socket.on('data', () => this.#answer(wire));
      progress.happens();
    });
  }

  static async start(progress: Progress): Promise<Member> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Member(server, progress);
  }

  /** From now on it answers whatever it takes for a request. */
  answers(answer: string): void {
    this.#standing = answer;
  }

  /** Everything that ever came, on whatever connection. */
  get received(): string {
    return this.wires.map(({ received }) => received).join('');
  }

  /** Whether it has been sent a whole request. */
  get hasRequest(): boolean {
    return this.wires.some(({ received }) => readRequest(received) !== undefined);
  }

  /** The next request, on whatever connection, where there is one that is complete. */
  take(): Arrival | undefined {
    for (const wire of this.wires) {
      const request = wire.takeRequest();
      if (request !== undefined) return { request, wire };
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { socket } of this.wires) socket.destroy();
    await closed;
  }

  #answer(wire: Wire): void {
    if (this.#standing === undefined) return;
    try {
      while (wire.takeRequest() !== undefined) wire.send(this.#standing);
    } catch {
      // Ambiguous, and answered all the same, like some members would.
      wire.send(this.#standing);
    }
  }
}
