import { describe, expect, test } from 'vitest';
import { seededRandom, type VipSpec } from '../../../src/index.ts';
import { Backend, echoes } from '../../fixtures/node/backend.ts';
import { Client } from '../../fixtures/node/client.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';
import { tlv, version2 } from '../../proxy-protocol/wire.ts';
import { node20 } from '../../tls/recorded-hellos.ts';

const binary = version2(
  '2111',
  'c0000207 c6336409 9c40 01bb',
  tlv(2, 'a.example'),
  tlv(0x20, Uint8Array.of(1, 0, 0, 0, 0)),
);
const never = 1_000_000;

interface Kind {
  readonly name: string;
  /** What an honest client sends, all of which has to come before it is served. */
  readonly opening: Uint8Array;
  /** How much of that comes back. */
  readonly echoed: number;
  readonly late: string;
  readonly bad: string;
  readonly settings: (patience: number) => Partial<VipSpec>;
}

const kinds: readonly Kind[] = [
  {
    name: 'PROXY headers',
    opening: binary,
    echoed: 0,
    late: 'late-proxy-header',
    bad: 'bad-proxy-header',
    settings: (timeout) => ({ acceptProxyProtocol: { trustedCidrs: ['127.0.0.1'], timeout } }),
  },
  {
    name: 'ClientHellos',
    opening: node20,
    echoed: node20.length,
    late: 'late-client-hello',
    bad: 'bad-client-hello',
    settings: (hello) => ({ sniRouting: [{ serverNames: ['b.example'], pool: {} }], timeouts: { hello } }),
  },
];

describe.each(kinds)('$name', ({ opening, echoed, late, bad, settings }) => {
  async function stage(patience: number) {
    const backend = await Backend.start({ does: echoes });
    const scene = await Scene.open({ members: [backend.at] }, settings(patience));
    return {
      scene,
      async isServed() {
        using client = await Client.connect(scene.place);
        client.socket.write(opening);
        client.send('hello');
        await until(() => client.received.length === echoed + 5, 'it is echoed');
        client.end();
        await client.ended();
      },
      reasons: () => [...new Set(scene.rejected.map(({ reason }) => reason))],
      /** Nothing is left that would keep the listener open. */
      async leavesNothing() {
        await soon(scene.listener.close({ deadline: Number.POSITIVE_INFINITY }), 'the listener closes');
        const { activeConnections, waitingConnections } = scene.vip.stats;
        expect([scene.troubles, activeConnections, waitingConnections]).toEqual([[], 0, 0]);
      },
      async [Symbol.asyncDispose]() {
        await scene[Symbol.asyncDispose]();
        await backend[Symbol.asyncDispose]();
      },
    };
  }

  test('a thousand that never come are let go in time, and keep nobody from being served', async () => {
    await using on = await stage(1500);
    const slow: Client[] = [];
    for (let count = 0; count < 1000; count += 50) {
      slow.push(...(await Promise.all(Array.from({ length: 50 }, () => Client.connect(on.scene.place)))));
      for (const client of slow.slice(-50)) client.socket.write(opening.subarray(0, 1 + (count % 10)));
    }
    await on.isServed();
    await until(() => slow.every(({ hasClosed }) => hasClosed), 'all are let go', 30_000);
    expect([on.reasons(), on.scene.vip.stats.rejects]).toEqual([[late], 1000]);
    await on.isServed();
    await on.leavesNothing();
  });

  test('those that are reset after every number of bytes leave nothing behind', async () => {
    await using on = await stage(never);
    const whole = Buffer.concat([opening, Buffer.from('hello')]);
    for (let length = 0; length <= whole.length; length += length < 20 ? 1 : 7) {
      for (const waits of [false, true]) {
        using client = await Client.connect(on.scene.place);
        client.socket.write(whole.subarray(0, length));
        if (waits) await new Promise((resolve) => setTimeout(resolve, 2));
        client.reset();
        await client.closed();
      }
    }
    await on.isServed();
    await on.leavesNothing();
    // Node 20 tells of data and a reset that come together as of data and an end.
    expect(on.reasons().filter((reason) => reason !== bad)).toEqual([]);
  });

  test('those that end after every number of bytes leave nothing behind', async () => {
    await using on = await stage(never);
    for (let length = 0; length < opening.length; length += length < 20 ? 1 : 7) {
      using client = await Client.connect(on.scene.place);
      client.socket.end(opening.subarray(0, length));
      await client.closed();
    }
    expect(on.reasons()).toEqual([bad]);
    await on.leavesNothing();
  });

  test('garbage ends with its connection, and what is damaged is refused or served', async () => {
    await using on = await stage(300);
    const random = seededRandom(5);
    const byte = (): number => Math.floor(random() * 256);
    const clients: Client[] = [];
    for (let turn = 0; turn < 200; turn++) {
      const bytes = turn % 2 === 0 ? Buffer.from(opening) : Buffer.from(Array.from({ length: 1 + byte() }, byte));
      for (let damages = turn % 5; damages > 0; damages--) bytes[Math.floor(random() * bytes.length)] = byte();
      const client = await Client.connect(on.scene.place);
      clients.push(client);
      client.socket.write(bytes);
      if (turn % 3 === 0) client.end();
    }
    await until(
      () =>
        clients.every(
          ({ hasClosed, hasEnded, received }) =>
            hasClosed || hasEnded || received.length > 0 || on.scene.vip.stats.totalConnections > 0,
        ),
      'each has its fate',
    );
    await on.isServed();
    for (const client of clients) client.reset();
    await on.leavesNothing();
    expect(on.reasons().filter((reason) => ![bad, late].includes(reason))).toEqual([]);
  });
});
