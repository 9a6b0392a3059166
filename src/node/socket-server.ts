import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { formatEndpoint, isUnix } from '../core/address.ts';
import { EvenkeelError } from '../core/errors.ts';
import { watchDescriptors } from './descriptors.ts';

/** Clients that the kernel completes before we accept them; it caps this at its own limit (`somaxconn`). */
const kernelBacklog = 4096;

/** A bound address. Who takes its clients can change while it stays bound. */
export class SocketServer {
  readonly #server: Server;
  readonly #watch: Disposable;
  accept: (client: Socket) => void;

  private constructor(server: Server, accept: (client: Socket) => void, watch: Disposable) {
    this.#server = server;
    this.#watch = watch;
    this.accept = accept;
    server.on('connection', (client) => this.accept(client));
  }

  /** Binds, or rejects with an `EvenkeelError` (`code` `'ERR_EVENKEEL_LISTEN'`, the system's error as `cause`). */
  static async bind(
    address: string,
    port: number,
    accept: (client: Socket) => void,
    troubled: (error: EvenkeelError) => void,
  ): Promise<SocketServer> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    const place = isUnix(address) ? { path: address.slice('unix:'.length) } : { host: address, port };
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        const message = `cannot listen on ${formatEndpoint(address, port)}: ${cause.message}`;
        reject(new EvenkeelError('ERR_EVENKEEL_LISTEN', message, { cause }));
      });
      server.listen({ ...place, backlog: kernelBacklog }, resolve);
    });
    server.removeAllListeners('error');
    // After this, errors are failed accepts; the server goes on.
    server.on('error', (cause) => {
      const message = `cannot accept a client: ${cause.message}`;
      troubled(new EvenkeelError('ERR_EVENKEEL_LOCAL_RESOURCE', message, { cause }));
    });
    return new SocketServer(server, accept, watchDescriptors(troubled));
  }

  /** What `server.address()` says: an `AddressInfo`, or the path of a Unix socket. */
  get address(): AddressInfo | string | null {
    return this.#server.address();
  }

  /** Stops accepting at once; accepted clients are not touched. */
  close(): void {
    this.#watch[Symbol.dispose]();
    this.#server.close();
  }
}
