import { describe, expect, test } from 'vitest';
import { ask, HttpClient } from '../../fixtures/node/http/client.ts';
import { type Heard, HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { mebi, pour } from '../../fixtures/node/http/pour.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import type { Scene } from '../../fixtures/node/scene.ts';
import { settled, soon, until } from '../../fixtures/node/until.ts';

const fields = ['Connection: Upgrade', 'Upgrade: echo'];

/** Agrees, and says everything back. */
function echoes(heard: Heard): void {
  heard.switch();
  const { socket } = heard.wire;
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('end', () => socket.end());
}

/** A client that speaks with a member through a tunnel. */
async function tunnelTo(scene: Scene, hello = 'hello'): Promise<HttpClient> {
  const client = await HttpClient.connect(scene.place);
  client.request('/tunnel', { fields });
  expect((await client.answer()).line).toBe('HTTP/1.1 101 Switching Protocols');
  client.send(hello);
  await client.receives(hello);
  return client;
}

describe('an upgraded connection', () => {
  test('carries whatever is said either way', async () => {
    await using member = await HttpMember.start({ does: echoes });
    await using scene = await httpScene([member]);
    using client = await tunnelTo(scene);
    for (let turn = 0; turn < 20; turn++) {
      client.send(`word ${turn};`);
      await client.receives(`word ${turn};`);
    }
    const { message } = await member.request(1);
    expect([message.field('Connection'), message.field('Upgrade')]).toEqual(['Upgrade', 'echo']);
    client.end();
    await client.closed();
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses1xx: 1, requestErrors: 0, abortedRequests: 0 });
    expect(scene.pool.stats).toMatchObject({ requests: 1, responses1xx: 1, requestErrors: 0, totalConnections: 1 });
  });

  test('carries what client and member say ahead of it', async () => {
    await using member = await HttpMember.start({
      does: (heard) => {
        heard.switch('echo', 'member first;');
        const { socket } = heard.wire;
        socket.on('data', (chunk) => socket.write(`<${chunk}>`)).on('end', () => socket.end());
      },
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.send(`GET / HTTP/1.1\r\nHost: a.example\r\n${fields.join('\r\n')}\r\n\r\nclient first`);
    expect((await client.answer()).status).toBe(101);
    await client.receives('member first;');
    await member.until(() => member.wires[0]?.stream.raw.endsWith('client first') === true, 'it arrives');
    client.send('!');
    await client.receives('<!>');
    client.socket.destroy();
    await scene.isAtRest();
  });

  test('may be made on a connection that served requests before, and on a kept one to the member', async () => {
    await using member = await HttpMember.start({
      does: (heard) => (heard.target === '/tunnel' ? echoes(heard) : heard.answer()),
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    await client.ask('/');
    client.request('/tunnel', { fields });
    expect((await client.answer()).status).toBe(101);
    client.send('hello');
    await client.receives('hello');
    expect(member.backend.accepted).toBe(1);
    expect((await ask(scene.place)).body).toBe('member');
    expect(member.backend.accepted).toBe(2);
    client.end();
    await client.closed();
    await scene.isAtRest();
    await member.until(() => member.open === 1, 'the other one is kept');
  });

  test('is a connection held on its member for as long as it lasts', async () => {
    await using fleet = await HttpFleet.start(2, (heard) =>
      heard.target === '/tunnel' ? echoes(heard) : heard.answer(),
    );
    await using scene = await httpScene(fleet, { strategy: 'least-connections' });
    using client = await tunnelTo(scene);
    const [home = ''] = fleet.all.filter(({ open }) => open === 1).map(({ name }) => name);
    expect(scene.member(home).stats.activeConnections).toBe(1);
    expect(scene.pool.stats.activeConnections).toBe(1);
    for (let turn = 0; turn < 4; turn++) expect((await ask(scene.place)).body).not.toBe(home);
    client.end();
    await client.closed();
    await scene.isAtRest();
  });

  test('that its member declines is a request like any other', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer('no', { status: 403 }) });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    for (let turn = 0; turn < 3; turn++) {
      const { status, body } = await client.ask('/', { fields });
      expect([status, body]).toEqual([403, 'no']);
    }
    expect(member.backend.accepted).toBe(1);
    client.end();
    await scene.isAtRest();
  });

  test('whose member dies before it agrees is tried on another one', async () => {
    await using fleet = await HttpFleet.start(2, echoes);
    fleet.of('m1').does = ({ wire }) => wire.reset();
    await using scene = await httpScene(fleet);
    using client = await tunnelTo(scene);
    expect(fleet.of('m2').open).toBe(1);
    client.end();
    await client.closed();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, retries: 1, requestErrors: 0 });
  });

  test('carries bulk both ways at once, and waits for whoever is slow', async () => {
    await using member = await HttpMember.start({ does: echoes });
    await using scene = await httpScene([member]);
    using client = await tunnelTo(scene, 'x');
    const { socket } = client;
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    const total = 32 * mebi;
    const poured = pour(socket, total);
    await until(() => received > mebi, 'it flows');
    socket.pause();
    const { bytesOut } = scene.vip.stats;
    await settled(() => scene.vip.stats.bytesOut, 'it waits');
    expect(scene.vip.stats.bytesOut - bytesOut).toBeLessThan(total);
    socket.resume();
    await poured;
    await until(() => received === total, 'all comes back');
    socket.end();
    await client.closed();
    await scene.isAtRest();
    expect(scene.vip.stats.bytesIn).toBeGreaterThan(total);
  });
});

describe('of an upgraded connection', () => {
  test('the member may end its side first and still hear the client to its end', async () => {
    await using member = await HttpMember.start({
      does: (heard) => {
        heard.switch('echo', 'that is all');
        heard.wire.socket.end();
      },
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { fields });
    await client.answer();
    await client.receives('that is all');
    await until(() => client.hasEnded, 'the member’s end arrives');
    const text = 'x'.repeat(4 * mebi);
    client.send(text);
    client.end();
    const { stream } = (await member.request(1)).wire;
    await member.until(() => stream.raw.length === text.length, 'all of it arrives');
    await member.isLetGo();
    await scene.isAtRest();
  });

  test('the client may end its side first and still hear the member to its end', async () => {
    const text = 'x'.repeat(4 * mebi);
    await using member = await HttpMember.start({
      does: (heard) => {
        heard.switch();
        heard.wire.socket.on('end', () => heard.wire.socket.end(text));
      },
    });
    await using scene = await httpScene([member]);
    using client = await HttpClient.connect(scene.place);
    client.request('/', { fields });
    await client.answer();
    client.end();
    await until(() => client.hasClosed, 'it is over');
    expect(client.raw.length).toBe(text.length);
    await scene.isAtRest();
  });

  describe('what the client said last, when both have ended and the member is slow,', () => {
    /** A member that has ended its side, and a client that says as much as is taken of it, but for so many bytes, and ends. */
    async function lastWords(scene: Scene, member: HttpMember, most: number) {
      const client = await HttpClient.connect(scene.place);
      client.request('/', { fields });
      await client.answer();
      await until(() => client.hasEnded, 'the member’s end arrives');
      const { bytesIn } = scene.vip.stats;
      const piece = 'x'.repeat(4000);
      let said = 0;
      let taken = 0;
      while (said < most) {
        client.send(piece);
        said += piece.length;
        const isTaken = () => scene.vip.stats.bytesIn - bytesIn === said;
        for (let turn = 0; turn < 500 && !isTaken(); turn++) await new Promise(setImmediate);
        if (!isTaken()) break;
        taken = said;
      }
      client.end();
      await member.until(() => member.wires.at(-1)?.requests.length === 1, 'it is there');
      return { said, taken };
    }

    const isDeaf = (heard: Heard): void => {
      heard.switch();
      heard.wire.socket.end();
      heard.wire.socket.pause();
    };

    test('arrives though the client is gone', async () => {
      await using member = await HttpMember.start({ does: isDeaf });
      await using scene = await httpScene([member]);
      const all = await lastWords(scene, member, Number.POSITIVE_INFINITY);
      let { said } = all;
      // With so much less, some is still with us when the client ends, and the client is not held up.
      for (const less of [4000, 8000, 12_000]) said += (await lastWords(scene, member, all.taken - less)).said;
      await until(() => scene.vip.stats.activeConnections > 0, 'they are not over');
      for (const { socket } of member.wires) socket.resume();
      await member.isLetGo();
      await scene.isAtRest();
      const heard = member.wires.map(({ stream }) => stream.raw.length);
      expect(heard.reduce((sum, each) => sum + each)).toBe(said);
    });

    test('is given up when the member takes nothing for too long', async () => {
      await using member = await HttpMember.start({ does: isDeaf });
      await using scene = await httpScene([member], {}, { timeouts: { tunnel: 300 } });
      await lastWords(scene, member, Number.POSITIVE_INFINITY);
      await scene.isAtRest();
      expect(scene.vip.stats.timeouts.tunnel).toBe(1);
    });
  });

  test.each(['client', 'member'])('a reset by the %s ends the other side, too', async (who) => {
    await using member = await HttpMember.start({ does: echoes });
    await using scene = await httpScene([member]);
    using client = await tunnelTo(scene);
    if (who === 'client') client.reset();
    else member.wires[0]?.reset();
    await member.isLetGo();
    await client.closed();
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ requests: 1, responses1xx: 1 });
  });
});

describe('an upgraded connection is ended', () => {
  test('where nothing moves on it for too long', async () => {
    await using member = await HttpMember.start({ does: echoes });
    const timeouts = { tunnel: 600, client: 0, member: 0, keepAlive: 0, request: 0 };
    await using scene = await httpScene([member], {}, { timeouts });
    using busy = await tunnelTo(scene);
    using idle = await tunnelTo(scene);
    for (let turn = 0; !idle.hasEnded && !idle.hasClosed; turn++) {
      busy.send(`still ${turn};`);
      await busy.receives(`still ${turn};`);
    }
    expect(busy.hasEnded).toBe(false);
    busy.end();
    await busy.closed();
    await member.isLetGo();
    await scene.isAtRest();
    expect(scene.vip.stats.timeouts).toMatchObject({ tunnel: 1, keepAlive: 0, request: 0, reader: 0 });
  });

  test('by the deadline of its member’s drain, which waits until then', async () => {
    await using fleet = await HttpFleet.start(2, echoes);
    await using scene = await httpScene(fleet);
    using one = await tunnelTo(scene);
    using two = await tunnelTo(scene);
    expect(await soon(scene.pool.drain('m1', { deadline: 60 }), 'the drain')).toEqual({ remaining: 1 });
    await fleet.of('m1').isLetGo();
    await one.closed();
    two.send('still here');
    await two.receives('still here');
    two.end();
    await two.closed();
    await scene.isAtRest();
  });

  test('by itself, and then a drain is over', async () => {
    await using member = await HttpMember.start({ does: echoes });
    await using scene = await httpScene([member]);
    using client = await tunnelTo(scene);
    let isDrained = false;
    const draining = scene.pool.drain('member').then((result) => {
      isDrained = true;
      return result;
    });
    client.send('still here');
    await client.receives('still here');
    expect(isDrained).toBe(false);
    client.end();
    expect(await soon(draining, 'the drain')).toEqual({ remaining: 0 });
    await scene.isAtRest();
  });

  test('by the deadline of its listener’s end', async () => {
    await using member = await HttpMember.start({ does: echoes });
    await using scene = await httpScene([member]);
    using client = await tunnelTo(scene);
    await soon(scene.listener.close({ deadline: 60 }), 'the end');
    await client.closed();
    await member.isLetGo();
    await scene.isAtRest();
  });

  test('by itself, and then a listener that waits for it is closed', async () => {
    await using member = await HttpMember.start({ does: echoes });
    await using scene = await httpScene([member]);
    using client = await tunnelTo(scene);
    const closing = scene.listener.close();
    client.send('still here');
    await client.receives('still here');
    client.end();
    await soon(closing, 'the end');
    await scene.isAtRest();
  });
});
