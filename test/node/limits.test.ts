import { describe, expect, test } from 'vitest';
import { Backend, echoes, listensOnly } from '../fixtures/node/backend.ts';
import { Client, refusalOf } from '../fixtures/node/client.ts';
import { BlackHole } from '../fixtures/node/process.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

describe('timeouts', () => {
  test('an idle client is let go', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { timeouts: { client: 100, member: 0 } });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    await client.isLetGo();
    await until(() => backend.sockets.size === 0, 'the member is let go, too');
    await scene.isAtRest();
  });

  test('an idle member is let go', async () => {
    await using backend = await Backend.start({ does: listensOnly });
    await using scene = await Scene.open({ members: [backend.at] }, { timeouts: { client: 0, member: 100 } });
    using client = await Client.connect(scene.place);
    client.send('hello');
    await client.isLetGo();
    await until(() => backend.sockets.size === 0, 'the member is let go, too');
    await scene.isAtRest();
  });

  test('a client that never says a word is let go', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { timeouts: { client: 100, member: 0 } });
    using client = await Client.connect(scene.place);
    await client.isLetGo();
    await scene.isAtRest();
  });

  test('a half-closed connection of which nothing more comes is let go', async () => {
    await using backend = await Backend.start({ does: (socket) => void socket.resume() });
    await using scene = await Scene.open({ members: [backend.at] }, { timeouts: { client: 100, member: 100 } });
    using client = await Client.connect(scene.place);
    client.end('the last word');
    await client.isLetGo();
    await scene.isAtRest();
  });

  test('a client that takes nothing is let go, however much its member has to say', async () => {
    await using backend = await Backend.start({
      does: (socket) => {
        const talk = (): void => {
          while (socket.writable && socket.write('x'.repeat(100_000)));
        };
        socket.on('drain', talk);
        talk();
      },
    });
    await using scene = await Scene.open({ members: [backend.at] }, { timeouts: { client: 200, member: 0 } });
    using client = await Client.connect(scene.place);
    client.socket.pause();
    await until(() => scene.vip.stats.totalConnections === 1, 'it is served');
    await scene.isAtRest();
    await until(() => backend.sockets.size === 0, 'the member is let go, too');
  });

  test('0 means none', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using short = await Scene.open({ members: [backend.at] }, { timeouts: { client: 60, member: 60 } });
    await using none = await Scene.open({ members: [backend.at] }, { timeouts: { client: 0, member: 0, connect: 0 } });
    using patient = await Client.connect(none.place);
    await patient.isEchoed('first');
    for (let turn = 0; turn < 4; turn++) {
      using impatient = await Client.connect(short.place);
      await impatient.isEchoed('hello');
      await impatient.isLetGo();
    }
    await patient.isEchoed('last');
    patient.end();
    await short.isAtRest();
    await none.isAtRest();
  });

  test('a connection on which bytes flow outlives its timeouts', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { timeouts: { client: 600, member: 600 } });
    using busy = await Client.connect(scene.place);
    using idle = await Client.connect(scene.place);
    while (!idle.hasEnded) await busy.isEchoed('still here');
    using idleAgain = await Client.connect(scene.place);
    while (!idleAgain.hasEnded) await busy.isEchoed('still here');
    expect(busy.hasEnded).toBe(false);
    busy.end();
    await scene.isAtRest();
  });

  test('a timeout that is set later counts for connections that run', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { timeouts: { client: 0, member: 0 } });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    scene.vip.update({ timeouts: { client: 80 } });
    await client.isLetGo();
    await scene.isAtRest();
  });

  test('a connect without an answer ends at its timeout', async () => {
    await using hole = await BlackHole.open();
    await using scene = await Scene.open({ members: [hole.at] }, { retries: 1, timeouts: { connect: 60 } });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ connectFailures: 2, retries: 1, rejects: 1 });
  });
});

test('a connect without a timeout goes on while others time out', async () => {
  await using hole = await BlackHole.open();
  const members = [hole.at];
  await using short = await Scene.open({ members }, { retries: 3, timeouts: { connect: 40 } });
  await using none = await Scene.open({ members }, { retries: 3, timeouts: { connect: 0 } });
  using patient = await Client.connect(none.place);
  patient.send('hello');
  for (let turn = 0; turn < 3; turn++) expect(await refusalOf(short.place)).toBe('ECONNRESET');
  expect(none.vip.stats).toMatchObject({ activeConnections: 1, connectFailures: 0 });
  expect(none.pool.stats).toMatchObject({ activeConnections: 1, totalConnections: 0 });
  expect(patient.hasEnded || patient.hasClosed).toBe(false);
  await none.listener.close({ deadline: 0 });
  expect(await patient.closed()).toBe('ECONNRESET');
  await none.isAtRest();
  await short.isAtRest();
});

describe('connection limit', () => {
  test('clients over it wait unserved, are then served in order, and those beyond the backlog are refused', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { connectionLimit: 2, backlog: 2 });
    const { stats } = scene.vip;
    const clients: Client[] = [];
    for (let number = 1; number <= 4; number++) {
      const client = await Client.connect(scene.place);
      client.send(`I am ${number}`);
      clients.push(client);
      await until(() => stats.activeConnections + stats.waitingConnections === number, 'it is in');
    }
    const [first, second, third, fourth] = clients as [Client, Client, Client, Client];
    await first.receives('I am 1');
    await second.receives('I am 2');
    expect(stats).toMatchObject({ activeConnections: 2, waitingConnections: 2, totalConnections: 2 });
    expect(scene.vip.status).toBe('degraded');
    expect(backend.accepted).toBe(2);

    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.rejected.map(({ reason }) => reason)).toEqual(['connection-limit']);

    second.end();
    await third.receives('I am 3');
    expect(fourth.received).toBe('');
    expect(stats).toMatchObject({ activeConnections: 2, waitingConnections: 1 });
    first.reset();
    await fourth.receives('I am 4');
    expect(scene.vip.status).toBe('degraded');
    third.end();
    await third.closed();
    await until(() => scene.vip.status === 'online', 'there is room again');
    fourth.end();
    await scene.isAtRest();
    expect(stats).toMatchObject({ totalConnections: 4, rejects: 1 });
  });

  test('raising it lets those in that wait', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { connectionLimit: 1 });
    using first = await Client.connect(scene.place);
    await first.isEchoed('first');
    using second = await Client.connect(scene.place);
    second.send('second');
    await until(() => scene.vip.stats.waitingConnections === 1, 'it waits');
    scene.vip.update({ connectionLimit: 2 });
    await second.receives('second');
    first.end();
    second.end();
    await scene.isAtRest();
  });

  test('a client that goes away while it waits leaves no hole in the queue', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { connectionLimit: 1 });
    using first = await Client.connect(scene.place);
    await first.isEchoed('first');
    using leaver = await Client.connect(scene.place);
    await until(() => scene.vip.stats.waitingConnections === 1, 'it waits');
    using last = await Client.connect(scene.place);
    last.send('last');
    await until(() => scene.vip.stats.waitingConnections === 2, 'both wait');
    leaver.reset();
    first.end();
    await last.receives('last');
    last.end();
    await scene.isAtRest();
  });

  test('a client that waits is sent away when its listener closes', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { connectionLimit: 1 });
    using served = await Client.connect(scene.place);
    await served.isEchoed('hello');
    using waiting = await Client.connect(scene.place);
    await until(() => scene.vip.stats.waitingConnections === 1, 'it waits');
    const closing = scene.listener.close();
    expect(await waiting.closed()).toBe('ECONNRESET');
    await served.isEchoed('still here');
    served.end();
    await closing;
    await scene.isAtRest();
    expect(backend.accepted).toBe(1);
  });

  test('thousands that wait are all sent away when there is nobody to serve them', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { connectionLimit: 1, backlog: 5000 });
    using served = await Client.connect(scene.place);
    await served.isEchoed('hello');
    const crowd: Client[] = [];
    for (let hundred = 1; hundred <= 40; hundred++) {
      for (let one = 0; one < 100; one++) crowd.push(Client.start(scene.place));
      await until(() => scene.vip.stats.waitingConnections === hundred * 100, 'they all wait');
    }
    scene.pool.update({ enabled: false });
    served.end();
    await until(() => crowd.every(({ hasClosed }) => hasClosed), 'all are sent away');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ totalConnections: 4001, rejects: 4000 });
  });

  test('a member takes no more than its own limit, and the others take the rest', async () => {
    await using fleet = await Backend.fleet(2, (socket, { name }) => socket.write(name));
    const members = fleet.members.map((member) => (member.id === 'm1' ? { ...member, maxConnections: 1 } : member));
    await using scene = await Scene.open({ members });
    const clients = await Promise.all(Array.from({ length: 6 }, () => Client.connect(scene.place)));
    for (const client of clients) await client.receives('m');
    expect(scene.pool.members.map(({ stats }) => stats.activeConnections)).toEqual([1, 5]);
    for (const client of clients) client.reset();
    await scene.isAtRest();
  });
});
