import type { AddressInfo, Socket } from 'node:net';
import { fixedEndpoint } from '../core/address.ts';
import type { Attachment, Placement, PreparedChange } from '../core/attachment.ts';
import type { Balancer } from '../core/balancer.ts';
import { Emitter } from '../core/emitter.ts';
import { EvenkeelError } from '../core/errors.ts';
import type { VirtualIP } from '../core/virtual-ip.ts';
import { type CloseOptions, deadlineOf } from './close-options.ts';
import { turnAway } from './member-socket.ts';
import { SocketServer } from './socket-server.ts';
import type { CertificateFacts } from './tls/credentials.ts';
import { type TroubleEvents, VipServer } from './vip-server.ts';
import { wayTo } from './way-to-members.ts';

/** A virtual IP that listens: who serves its clients, and the socket they come in by, known by its endpoint. */
interface Open<T> {
  readonly server: VipServer<T>;
  readonly endpoint: string;
  readonly socket: SocketServer;
}

/**
 * The real listeners of all virtual IPs of a balancer: they open and close as virtual IPs come and go. A socket that another
 * virtual IP takes over (one renamed, two that swap ports) stays bound throughout.
 */
export class BalancerListener<T = unknown> extends Emitter<TroubleEvents> implements AsyncDisposable {
  readonly #balancer: Balancer<T>;
  readonly #attachment: Attachment<T> = {
    prepare: (placements, failed) => this.#prepare(placements, failed),
    failed: (cause) => this.#failed(cause),
  };
  #open: ReadonlyMap<VirtualIP<T>, Open<T>> = new Map();
  /** Servers of virtual IPs that went, until their last client has. */
  readonly #draining = new Set<VipServer<T>>();
  #isClosed = false;

  private constructor(balancer: Balancer<T>) {
    super();
    this.#balancer = balancer;
  }

  /** @internal */
  static async open<T>(balancer: Balancer<T>): Promise<BalancerListener<T>> {
    const listener = new BalancerListener(balancer);
    await balancer.attach(listener.#attachment);
    return listener;
  }

  /** Where each virtual IP listens, by its name: what Node's `server.address()` gives. */
  get addresses(): ReadonlyMap<string, AddressInfo | string | null> {
    return new Map(Array.from(this.#open, ([vip, { socket }]) => [vip.name, socket.address]));
  }

  /** As `Listener.certificates`, by the virtual IP's name. */
  get certificates(): ReadonlyMap<string, readonly CertificateFacts[]> {
    return new Map(Array.from(this.#open, ([vip, { server }]) => [vip.name, server.certificates]));
  }

  /** As `Listener.close()`, for all virtual IPs together; the balancer is no longer followed. */
  async close(options: CloseOptions = {}): Promise<void> {
    const deadline = deadlineOf(options);
    this.#isClosed = true;
    const detached = this.#balancer.detach(this.#attachment);
    const open = [...this.#open.values()];
    this.#open = new Map();
    for (const { server, socket } of open) {
      socket.close();
      this.#draining.add(server);
    }
    await Promise.all([
      detached,
      ...Array.from(this.#draining, (server) => this.#drain(server, deadline, options.signal)),
    ]);
  }

  /** `close()` with its default deadline. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #prepare(placements: readonly Placement<T>[], failed?: (error: unknown) => void): Promise<PreparedChange> {
    const bound = new Map(Array.from(this.#open.values(), ({ endpoint, socket }) => [endpoint, socket]));
    const next = new Map<VirtualIP<T>, Open<T>>();
    const fresh: Fresh[] = [];
    const newcomers: VipServer<T>[] = [];
    const withdraw = (): void => {
      cancel(fresh);
      for (const server of newcomers) void server.close(0);
    };
    const leaveOut = (error: unknown): void => {
      if (failed !== undefined) return failed(error);
      withdraw();
      throw error;
    };
    for (const { vip, address, port, pools } of placements) {
      const endpoint = endpointOf(vip, address, port);
      let socket = bound.get(endpoint);
      bound.delete(endpoint);
      if (socket === undefined) {
        // Clients that come before the commit wait for it.
        const early: Socket[] = [];
        try {
          socket = await SocketServer.bind(address, port, (client) => early.push(client), this.#troubled);
        } catch (error) {
          leaveOut(error);
          continue;
        }
        fresh.push({ socket, early });
      }
      const present = this.#open.get(vip)?.server;
      let server: VipServer<T>;
      try {
        // A server tries the pools that it begins with by itself.
        if (present !== undefined) for (const pool of pools) if (!vip.pools.has(pool)) wayTo(pool);
        server = present ?? this.#serve(vip);
      } catch (error) {
        // Its pool cannot be checked, or its members not be spoken to, as they are to be.
        if (fresh.at(-1)?.socket === socket) cancel(fresh.splice(-1));
        leaveOut(error);
        continue;
      }
      if (present === undefined) newcomers.push(server);
      next.set(vip, { server, endpoint, socket });
    }
    return {
      commit: () => {
        if (this.#isClosed) return withdraw();
        this.#commit(next);
        for (const { socket, early } of fresh) for (const client of early.splice(0)) socket.accept(client);
      },
      cancel: withdraw,
    };
  }

  readonly #troubled = (error: EvenkeelError): void => {
    this.emit('error', error);
  };

  #failed(cause: unknown): void {
    const message = `a virtual IP has no listener: ${cause instanceof Error ? cause.message : String(cause)}`;
    this.emit('error', new EvenkeelError('ERR_EVENKEEL_LISTEN', message, { cause }));
  }

  #commit(next: ReadonlyMap<VirtualIP<T>, Open<T>>): void {
    const before = this.#open;
    this.#open = next;
    const kept = new Set(Array.from(next.values(), ({ socket }) => socket));
    for (const { server, socket } of next.values()) socket.accept = server.accept;
    for (const [vip, { server, socket }] of before) {
      if (!kept.has(socket)) socket.close();
      if (!next.has(vip)) void this.#drain(server, Number.POSITIVE_INFINITY);
    }
  }

  #serve(vip: VirtualIP<T>): VipServer<T> {
    const server = new VipServer(vip);
    server.on('error', this.#troubled);
    return server;
  }

  async #drain(server: VipServer<T>, deadline: number, signal?: AbortSignal): Promise<void> {
    this.#draining.add(server);
    await server.close(deadline, signal);
    this.#draining.delete(server);
  }
}

/** A socket that is bound for a change, and the clients that came in by it before the change happened. */
interface Fresh {
  readonly socket: SocketServer;
  readonly early: Socket[];
}

function cancel(fresh: readonly Fresh[]): void {
  for (const { socket, early } of fresh) {
    socket.close();
    for (const client of early) turnAway(client);
  }
}

/** What tells bound sockets apart; where the system chooses the port, each virtual IP has one of its own. */
function endpointOf(vip: { readonly name: string }, address: string, port: number): string {
  return fixedEndpoint(address, port) ?? `${address} of ${vip.name}`;
}
