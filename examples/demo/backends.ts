import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A running backend process, and where it listens. */
export interface Backend {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly pid: number | undefined;
}

/** The member that a backend is. */
export function asMember({ name, address, port }: Backend): { id: string; address: string; port: number } {
  return { id: name, address, port };
}

/** The backend processes of the demo; disposing ends them all. */
export class Backends implements AsyncDisposable {
  readonly #protocol: 'tcp' | 'http';
  readonly #processes = new Map<string, ChildProcess>();

  constructor(protocol: 'tcp' | 'http') {
    this.#protocol = protocol;
  }

  /** Starts a process and resolves when it listens. Port 0 lets the system choose. */
  async start(name: string, port = 0): Promise<Backend> {
    const child = fork(new URL('./backend.js', import.meta.url), [this.#protocol, name, String(port)]);
    this.#processes.set(name, child);
    const ended = once(child, 'exit').then(() => {
      throw new Error(`backend ${name} ended before it listened`);
    });
    const [where] = (await Promise.race([once(child, 'message'), ended])) as [AddressInfo];
    ended.catch(() => {});
    return { name, address: where.address, port: where.port, pid: child.pid };
  }

  /** Ends a process with SIGKILL: no goodbye, its connections are reset. Resolves when it is dead. */
  async kill(name: string): Promise<void> {
    const child = this.#processes.get(name);
    this.#processes.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const dead = once(child, 'exit');
    child.kill('SIGKILL');
    await dead;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((name) => this.kill(name)));
  }
}
