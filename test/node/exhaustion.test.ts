import { describe, expect, test } from 'vitest';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { Client } from '../fixtures/node/client.ts';
import { Child } from '../fixtures/node/process.ts';
import { until } from '../fixtures/node/until.ts';

interface Report {
  readonly errors: readonly { readonly code: string; readonly cause?: string }[];
  readonly vip: { readonly activeConnections: number; readonly totalConnections: number };
  readonly pool: { readonly activeConnections: number; readonly connectFailures: number };
}

/** A relay with few file descriptors, and clients that use them up. */
class Siege implements AsyncDisposable {
  readonly relay: Child;
  readonly place: { readonly host: string; readonly port: number };
  readonly #crowd: Client[] = [];

  private constructor(relay: Child, port: number) {
    this.relay = relay;
    this.place = { host: '127.0.0.1', port };
  }

  static async begin(files: number, member: string): Promise<Siege> {
    const relay = Child.run('relay.mjs', [member]);
    const { port } = await relay.message<{ port: number }>();
    relay.limitFiles(files);
    return new Siege(relay, port);
  }

  report(): Promise<Report> {
    return this.relay.ask<Report>('report');
  }

  /** Far more clients than there are descriptors for; resolves when every one has been dealt with or waits. */
  async storm(): Promise<void> {
    const wave = Array.from({ length: 150 }, () => Client.start(this.place));
    for (const client of wave) client.send('let me in');
    this.#crowd.push(...wave);
    await until(() => wave.some(({ hasClosed, hasEnded }) => hasClosed || hasEnded), 'some are turned away');
  }

  async end(): Promise<void> {
    for (const client of this.#crowd.splice(0)) client.socket.destroy();
  }

  async isServing(connections: number): Promise<void> {
    await until(async () => {
      const { vip, pool } = await this.report();
      return vip.activeConnections === connections && pool.activeConnections === connections;
    }, `the relay serves ${connections}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.relay.kill();
  }
}

/** A connection takes two descriptors: with an even and an odd number of them, the last goes to a client or to a member. */
describe.each([64, 65])('with %i file descriptors', (files) => {
  test('a listener out of them keeps the clients that it has, and serves again once some are free', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using siege = await Siege.begin(files, backend.at);
    using early = await Client.connect(siege.place);
    await early.isEchoed('hello');
    for (let round = 0; round < 3; round++) {
      await siege.storm();
      await early.isEchoed('still here');
    }
    await siege.end();
    await siege.isServing(1);
    for (let turn = 0; turn < 20; turn++) {
      using client = await Client.connect(siege.place);
      await client.isEchoed('let me in now');
      client.end();
      await client.closed();
    }
    await early.isEchoed('still here');
    early.end();
    await siege.isServing(0);
    // That there was no descriptor left is no fault of the member's.
    expect((await siege.report()).pool.connectFailures).toBe(0);
    expect(siege.relay.isRunning).toBe(true);
    expect(siege.relay.output).toBe('');
  });

  test('a listener out of them says so', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using siege = await Siege.begin(files, backend.at);
    await siege.storm();
    const hasSaidSo = async (): Promise<boolean> => (await siege.report()).errors.length > 0;
    await until(hasSaidSo, 'an error event', 5000);
    const { errors } = await siege.report();
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['ERR_EVENKEEL_LOCAL_RESOURCE']));
    await siege.end();
    await siege.isServing(0);
  });
});
