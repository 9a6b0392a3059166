import { expect, test } from 'vitest';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { Client } from '../fixtures/node/client.ts';
import { Child } from '../fixtures/node/process.ts';
import { until } from '../fixtures/node/until.ts';

interface Report {
  readonly errors: readonly { readonly code: string; readonly cause?: string }[];
  readonly vip: { readonly activeConnections: number; readonly totalConnections: number };
  readonly pool: { readonly activeConnections: number; readonly connectFailures: number };
}

test('out of file descriptors a listener says so, keeps the clients that it has, and serves again once some are free', async () => {
  await using backend = await Backend.start({ does: echoes });
  await using relay = Child.runWithFewFiles('relay.mjs', 64, [backend.at]);
  const { port } = await relay.message<{ port: number }>();
  const place = { host: '127.0.0.1', port };
  using early = await Client.connect(place);
  await early.isEchoed('hello');

  const crowd: Client[] = [];
  for (let round = 0; round < 3; round++) {
    for (let one = 0; one < 150; one++) {
      const client = Client.start(place);
      client.send('let me in');
      crowd.push(client);
    }
    await until(async () => (await relay.ask<Report>('report')).errors.length > round, 'it says so');
    await early.isEchoed('still here');
  }
  for (const client of crowd) client.socket.destroy();
  await until(async () => (await relay.ask<Report>('report')).vip.activeConnections === 1, 'the crowd has gone');

  for (let turn = 0; turn < 20; turn++) {
    using client = await Client.connect(place);
    await client.isEchoed('let me in now');
    client.end();
    await client.closed();
  }
  await early.isEchoed('still here');
  early.end();
  await early.closed();
  const atRest = async (): Promise<boolean> => {
    const { vip, pool } = await relay.ask<Report>('report');
    return vip.activeConnections === 0 && pool.activeConnections === 0;
  };
  await until(atRest, 'the relay is at rest');
  const { errors, pool } = await relay.ask<Report>('report');
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['ERR_EVENKEEL_LOCAL_RESOURCE']));
  expect(new Set(errors.map(({ cause }) => cause))).toEqual(new Set(['EMFILE']));
  // That there was no descriptor left is no fault of the member's.
  expect(pool.connectFailures).toBe(0);
  expect(relay.isRunning).toBe(true);
  expect(relay.output).toBe('');
});
