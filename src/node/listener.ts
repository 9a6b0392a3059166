import type { AddressInfo } from 'node:net';
import { Emitter } from '../core/emitter.ts';
import type { VirtualIP } from '../core/virtual-ip.ts';
import { type CloseOptions, deadlineOf } from './close-options.ts';
import { SocketServer } from './socket-server.ts';
import type { CertificateFacts } from './tls/credentials.ts';
import { type TroubleEvents, VipServer } from './vip-server.ts';

/** The real listener of one virtual IP. */
export class Listener<T = unknown> extends Emitter<TroubleEvents> implements AsyncDisposable {
  readonly vip: VirtualIP<T>;
  readonly #server: VipServer<T>;
  readonly #socket: SocketServer;
  readonly #address: AddressInfo | string | null;

  private constructor(server: VipServer<T>, socket: SocketServer) {
    super();
    this.vip = server.vip;
    this.#server = server;
    this.#socket = socket;
    this.#address = socket.address;
    server.on('error', (error) => this.emit('error', error));
  }

  /** @internal */
  static async open<T>(vip: VirtualIP<T>): Promise<Listener<T>> {
    const server = new VipServer(vip);
    try {
      const socket = await SocketServer.bind(vip.address, vip.port, server.accept, (error) => server.troubled(error));
      return new Listener(server, socket);
    } catch (error) {
      await server.close(0);
      throw error;
    }
  }

  /** What Node's `server.address()` gives: `{ address, port, family }`, or the path of a Unix socket. */
  get address(): AddressInfo | string | null {
    return this.#address;
  }

  /** The certificates that new clients are shown now; none where the virtual IP has no `tls`. */
  get certificates(): readonly CertificateFacts[] {
    return this.#server.certificates;
  }

  /**
   * Stops accepting, sends away clients that wait, lets running connections finish until the deadline, then ends what is left.
   * Resolves when nothing is left.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const deadline = deadlineOf(options);
    this.#socket.close();
    await this.#server.close(deadline, options.signal);
  }

  /** `close()` with its default deadline. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
