import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StartProxy } from '../stage.ts';
import { root } from './contestants.ts';

/** The proxy's process has ended by itself. */
class Crashed extends Error {
  constructor(output: string) {
    // What Node prints has the error's name and message in a line of its own.
    const error = /^(?:Uncaught )?(\w*Error.*)$/m.exec(output)?.[1] ?? 'without a word';
    super(`crashed: ${error}`);
    this.name = 'Crashed';
  }
}

/** A contestant in a process of its own, so that it can die of a row and the report goes on. */
export class ProxyProcess {
  readonly #path: string;
  #child: Child | undefined;

  constructor(name: string) {
    this.#path = fileURLToPath(new URL(`test/conformance/proxies/${name}.mjs`, root));
  }

  /** Rejects when the process ends. Where there is none, or it has ended, there is a new one. */
  get death(): Promise<never> {
    return this.#running().death;
  }

  readonly start: StartProxy = async ({ member, inserts }) => {
    const child = this.#running();
    const { port } = await child.ask({ member, inserts });
    return { place: { host: '127.0.0.1', port }, close: () => child.ask({}).then(() => {}) };
  };

  kill(): void {
    this.#child?.process.kill('SIGKILL');
    this.#child = undefined;
  }

  #running(): Child {
    if (this.#child === undefined || this.#child.hasDied) this.#child = new Child(this.#path);
    return this.#child;
  }
}

class Child {
  readonly process: ChildProcess;
  readonly death: Promise<never>;
  hasDied = false;
  #output = '';

  constructor(path: string) {
    this.process = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
    this.process.once('exit', () => {
      this.hasDied = true;
    });
    this.death = once(this.process, 'close').then(() => {
      throw new Crashed(this.#output);
    });
    // Nobody need be waiting for it.
    this.death.catch(() => {});
  }

  async ask(what: object): Promise<{ readonly port: number }> {
    const settled = new AbortController();
    const answer = once(this.process, 'message', { signal: settled.signal });
    // That it is gone shows by itself.
    this.process.send(what, () => {});
    try {
      const [message] = await Promise.race([answer, this.death]);
      if (message.failed !== undefined) throw new Error(`does not start: ${message.failed}`);
      return message;
    } finally {
      settled.abort();
      answer.catch(() => {});
    }
  }
}
