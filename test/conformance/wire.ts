import type { Socket } from 'node:net';
import { fail } from './failure.ts';
import { type Answer, type Head, type Message, readAnswer, readFinalHead, readHead, readRequest } from './message.ts';
import type { Progress } from './progress.ts';

/** Our end of a connection with the proxy: a client's or a member's. Every byte that it sends or receives is a row's to decide. */
export class Wire {
  readonly socket: Socket;
  /** Everything that ever came, one character a byte. */
  received = '';
  /** The proxy has ended its side properly. */
  hasEnded = false;
  hasClosed = false;
  readonly #progress: Progress;
  /** How much of it has been taken as messages. */
  #taken = 0;

  constructor(socket: Socket, progress: Progress) {
    this.socket = socket;
    this.#progress = progress;
    socket.setNoDelay(true);
    // That it is closed is all that a row wants to know.
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      progress.happens();
    });
    socket.on('end', () => {
      this.hasEnded = true;
      progress.happens();
    });
    socket.on('close', () => {
      this.hasClosed = true;
      progress.happens();
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  end(text = ''): void {
    this.socket.end(text, 'latin1');
  }

  /** Goes away without a word. */
  leave(): void {
    this.socket.destroy();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  get unread(): string {
    return this.received.slice(this.#taken);
  }

  /** The proxy has ended it, one way or another. */
  get isOver(): boolean {
    return this.hasEnded || this.hasClosed;
  }

  /** The head of the next message, where it is complete; leaves it unread. */
  get head(): Head | undefined {
    return readHead(this.unread);
  }

  /** The head of the next final answer, where it is complete; leaves it unread. */
  get finalHead(): Head | undefined {
    return readFinalHead(this.unread);
  }

  /** The next request, where it is complete. */
  takeRequest(): Message | undefined {
    return this.#take(readRequest(this.unread));
  }

  /** The next answer, where it is complete. */
  takeAnswer(method = 'GET'): Answer | undefined {
    return this.#take(readAnswer(this.unread, method, this.hasEnded));
  }

  /** Waits for the next answer; fails where it is cut short. */
  async answer(method = 'GET'): Promise<Answer> {
    let answer: Answer | undefined;
    await this.#progress.until(() => {
      answer = this.takeAnswer(method);
      return answer !== undefined || this.isOver;
    }, 'no answer');
    if (answer !== undefined) return answer;
    return fail(this.unread === '' ? 'closed without an answer' : 'the answer is cut short');
  }

  /** Whether the proxy ends it. */
  async ends(): Promise<boolean> {
    return this.#progress.eventually(() => this.isOver);
  }

  /** Whether that arrives. */
  async receives(text: string): Promise<boolean> {
    return this.#progress.eventually(() => this.received.includes(text));
  }

  #take<M extends Message>(message: M | undefined): M | undefined {
    this.#taken += message?.size ?? 0;
    return message;
  }
}
