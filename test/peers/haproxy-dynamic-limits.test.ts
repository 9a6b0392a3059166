import { expect, test } from 'vitest';
import { HttpClient } from '../fixtures/node/http/client.ts';
import { HAProxy } from '../fixtures/node/http/haproxy.ts';
import { type Heard, HttpMember } from '../fixtures/node/http/member.ts';
import { httpScene } from '../fixtures/node/http/scene.ts';
import { settled } from '../fixtures/node/until.ts';

/** A member that answers when it is told to. */
async function patient() {
  const open: Heard[] = [];
  const member = await HttpMember.start({ does: (heard) => open.push(heard) });
  return { member, open };
}

test('as many requests reach members with minConnections and maxConnections as with HAProxy’s minconn and maxconn', async () => {
  const theirs = await patient();
  const ours = await patient();
  await using _theirs = theirs.member;
  await using _ours = ours.member;
  const { address, port } = theirs.member.spec;
  await using haproxy = await HAProxy.start(
    `  fullconn 20\n  timeout queue 60s\n  server a ${address}:${port} minconn 2 maxconn 10`,
  );
  const members = [{ ...ours.member.spec, minConnections: 2, maxConnections: 10 }];
  await using scene = await httpScene([ours.member], {
    members,
    fullConnections: 20,
    queue: { limit: 100, timeout: 60_000 },
  });
  const clients: HttpClient[] = [];
  const come = async (): Promise<void> => {
    for (const place of [haproxy.place, scene.place]) {
      const client = await HttpClient.connect(place);
      client.request('/');
      clients.push(client);
    }
  };
  const held: [load: number, ours: number, haproxys: number][] = [];
  let load = 0;
  for (const wanted of [3, 5, 6, 7, 11, 12, 19, 20, 23]) {
    for (; load < wanted; load++) await come();
    await settled(() => theirs.open.length + ours.open.length, 'all are served who are to be');
    const own = ours.open.length;
    // HAProxy looks at those who wait only when a request ends, which it still counts then.
    theirs.open.shift()?.answer();
    ours.open.shift()?.answer();
    load--;
    await settled(() => theirs.open.length + ours.open.length, 'others have come after it');
    held.push([wanted, own, theirs.open.length]);
  }
  expect(held.map(([, own]) => own)).toEqual([2, 2, 3, 3, 5, 6, 9, 10, 10]);
  expect(held.map(([, , haproxys]) => haproxys)).toEqual(held.map(([, own]) => own));
  for (const client of clients) client.socket.destroy();
  await scene.isAtRest();
});
