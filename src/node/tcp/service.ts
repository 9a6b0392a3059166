import type { Server, Service } from '../vip-server.ts';
import { Connection } from './connection.ts';

/** A TCP virtual IP: a client's connection is passed to a member as it is. */
export function tcpService<T>(server: Server<T>): Service<T> {
  return {
    serve: (client, session) => new Connection(server, client, session),
    inspect: () => false,
    follow: () => {},
    close: () => {},
  };
}
