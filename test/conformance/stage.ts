import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from './failure.ts';
import { type Arrival, Member, type Place } from './member.ts';
import { statusOf } from './message.ts';
import { Progress } from './progress.ts';
import { Wire } from './wire.ts';

/** A proxy that serves. */
export interface Proxy {
  readonly place: Place;
  close(): Promise<void>;
}

/** Starts a proxy in front of one member; with `inserts` it adds the X-Forwarded-* headers that it knows. */
export type StartProxy = (options: { readonly member: Place; readonly inserts: boolean }) => Promise<Proxy>;

export interface StageOptions {
  readonly inserts: boolean;
  /** Milliseconds that anything may take which should happen. */
  readonly patience: number;
  /** Whether the proxy must answer with the very status that a row names, or may choose one that says much the same. */
  readonly isExact: boolean;
}

/** What a row plays on: the proxy between a member and clients that do as they are told. */
export class Stage implements AsyncDisposable {
  readonly member: Member;
  readonly proxy: Proxy;
  readonly progress: Progress;
  readonly isExact: boolean;
  readonly #clients: Wire[] = [];

  private constructor(member: Member, proxy: Proxy, progress: Progress, isExact: boolean) {
    this.member = member;
    this.proxy = proxy;
    this.progress = progress;
    this.isExact = isExact;
  }

  static async open(start: StartProxy, { inserts, patience, isExact }: StageOptions): Promise<Stage> {
    const progress = new Progress(patience);
    const member = await Member.start(progress);
    try {
      return new Stage(member, await start({ member: member.place, inserts }), progress, isExact);
    } catch (error) {
      await member[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A client that is connected, and has sent `text`. */
  async client(text = ''): Promise<Wire> {
    const socket = connect({ ...this.proxy.place, allowHalfOpen: true });
    const client = new Wire(socket, this.progress);
    this.#clients.push(client);
    await once(socket, 'connect');
    if (text !== '') client.send(text);
    return client;
  }

  /** Waits for the next request at the member; fails where its client has its answer, or is turned away, before. */
  async arrival(client: Wire): Promise<Arrival> {
    let arrival: Arrival | undefined;
    await this.progress.until(() => {
      arrival = this.member.take();
      return arrival !== undefined || isAnswered(client);
    }, 'the request does not arrive');
    return arrival ?? fail(`not passed on: ${whatHappened(client)}`);
  }

  /** As `arrival`, for a request whose body is still to come. */
  async headArrival(client: Wire): Promise<Wire> {
    const wire = () => this.member.wires.find(({ head }) => head !== undefined);
    await this.progress.until(() => wire() !== undefined || isAnswered(client), 'the request does not arrive');
    return wire() ?? fail(`not passed on: ${whatHappened(client)}`);
  }

  /** A while for things to happen that must not. */
  async quiet(): Promise<void> {
    await sleep(120);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.leave();
    await this.member[Symbol.asyncDispose]();
    await this.proxy.close();
  }
}

/** It has been turned away, or will get no answer. A proxy that takes part in an upgrade may agree to it before it has asked. */
function isAnswered({ isOver, finalHead }: Wire): boolean {
  return isOver || (finalHead !== undefined && statusOf(finalHead) !== 101);
}

function whatHappened({ finalHead, unread }: Wire): string {
  if (finalHead !== undefined) return String(statusOf(finalHead));
  return unread === '' ? 'closed' : `'${unread.slice(0, 12)}'`;
}
