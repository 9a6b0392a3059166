import type { Socket } from 'node:net';
import type { Pool } from '../../core/pool.ts';
import type { Session } from '../../core/session.ts';
import type { Server, Service, ServedClient } from '../vip-server.ts';
export class HttpService<T> implements Service<T> {
  constructor(_server: Server<T>) {}
  serve(_client: Socket, _session: Session<T>): ServedClient<T> { throw new Error('todo'); }
  inspect(): boolean { return false; }
  follow(_pool: Pool<T>): void {}
  close(): void {}
}
