import { describe, expect, test } from 'vitest';
import { Client } from '../../fixtures/node/client.ts';
import { ask, HttpClient, request } from '../../fixtures/node/http/client.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import { Child } from '../../fixtures/node/process.ts';
import { until } from '../../fixtures/node/until.ts';

interface Report {
  readonly errors: readonly { readonly code: string }[];
  readonly vip: { readonly activeConnections: number };
  readonly pool: { readonly activeConnections: number; readonly connectFailures: number };
}

/** With an even and an odd number of them, the last goes to a client or to a member. */
describe.each([64, 65])('a virtual IP with %i file descriptors', (files) => {
  test('keeps the clients that it has when they run out, and serves again once some are free', async () => {
    await using member = await HttpMember.start();
    await using relay = Child.run('relay.mjs', ['--http', member.at]);
    const { port } = await relay.message<{ port: number }>();
    relay.limitFiles(files);
    const place = { host: '127.0.0.1', port };
    const report = (): Promise<Report> => relay.ask<Report>('report');
    using early = await HttpClient.connect(place);
    expect((await early.ask('/')).status).toBe(200);
    for (let round = 0; round < 3; round++) {
      const crowd = Array.from({ length: 150 }, () => Client.start(place));
      for (const client of crowd) client.send(request('/'));
      await until(() => crowd.some(({ received }) => received.includes(' 200 ')), 'some are served');
      await until(async () => (await report()).errors.length > 0, 'it says that there are none left');
      for (const client of crowd) client.socket.destroy();
      expect((await early.ask('/')).status).toBe(200);
    }
    await until(async () => {
      const { vip, pool } = await report();
      return vip.activeConnections === 1 && pool.activeConnections === 0;
    }, 'the crowd is gone');
    for (let turn = 0; turn < 20; turn++) expect((await ask(place)).status).toBe(200);
    expect((await early.ask('/')).status).toBe(200);
    // That there was no descriptor left is no fault of the member's.
    const { pool, errors } = await report();
    expect(pool.connectFailures).toBe(0);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['ERR_EVENKEEL_LOCAL_RESOURCE']));
    expect(relay.isRunning).toBe(true);
    expect(relay.output).toBe('');
  });
});
