import { describe, expect, test } from 'vitest';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { Client } from '../fixtures/node/client.ts';
import { Accepted } from '../fixtures/node/http/accepted.ts';
import { HttpClient } from '../fixtures/node/http/client.ts';
import { HttpMember } from '../fixtures/node/http/member.ts';
import { httpScene } from '../fixtures/node/http/scene.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { settled, until } from '../fixtures/node/until.ts';

/** So many wait. */
const wait = ({ vip }: Scene, count: number) => until(() => vip.stats.waitingConnections === count, `${count} wait`);

describe('a TCP client that waits for its turn', () => {
  async function busy() {
    const backend = await Backend.start({ does: echoes });
    const scene = await Scene.open({ members: [backend.at] }, { connectionLimit: 1, backlog: 1 });
    const served = await Client.connect(scene.place);
    await served.isEchoed('served');
    return {
      backend,
      scene,
      served,
      async [Symbol.asyncDispose]() {
        served.socket.destroy();
        await scene[Symbol.asyncDispose]();
        await backend[Symbol.asyncDispose]();
      },
    };
  }

  test.for(['', 'something'])('gives up its place when it resets, having said %o', async (said) => {
    using accepted = new Accepted();
    await using stage = await busy();
    using leaver = await Client.connect(stage.scene.place);
    if (said !== '') leaver.send(said);
    await wait(stage.scene, 1);
    // A reset on the heels of data reads as an end.
    await until(() => accepted.last(stage.scene.place).bytesRead === said.length, 'it is read');
    leaver.reset();
    await wait(stage.scene, 0);
    using next = await Client.connect(stage.scene.place);
    await wait(stage.scene, 1);
    stage.served.end();
    await next.isEchoed('my turn');
    next.end();
    await stage.scene.isAtRest();
    expect([stage.backend.accepted, stage.scene.rejected]).toEqual([2, []]);
  });

  test('gives up its place when it ends without a word', async () => {
    await using stage = await busy();
    using leaver = await Client.connect(stage.scene.place);
    await wait(stage.scene, 1);
    leaver.end();
    await wait(stage.scene, 0);
    await leaver.closed();
    stage.served.end();
    await stage.scene.isAtRest();
    expect(stage.backend.accepted).toBe(1);
  });

  test('is served though it has closed its sending half, and gets all of its answer', async () => {
    await using stage = await busy();
    using client = await Client.connect(stage.scene.place);
    client.end('the first and last word');
    await wait(stage.scene, 1);
    await stage.served.isEchoed('a while later');
    stage.served.end();
    await client.receives('the first and last word');
    await client.closed();
    await stage.scene.isAtRest();
  });

  test('loses nothing of what it has sent meanwhile, however much it is', async () => {
    await using stage = await busy();
    using client = await Client.connect(stage.scene.place);
    const text = Array.from({ length: 100_000 }, (_, line) => `${line}\n`).join('');
    client.end(text);
    await wait(stage.scene, 1);
    stage.served.end();
    await until(() => client.hasEnded, 'its answer ends');
    expect(client.received === text).toBe(true);
    await client.closed();
    await stage.scene.isAtRest();
  });
});

describe('an HTTP client that waits for its turn', () => {
  async function busy() {
    const member = await HttpMember.start({ does: (heard) => heard.answer(`${heard.target} ${heard.message.size}`) });
    const scene = await httpScene([member], {}, { connectionLimit: 1, backlog: 1 });
    const served = await HttpClient.connect(scene.place);
    await served.ask('/served');
    return {
      member,
      scene,
      served,
      async [Symbol.asyncDispose]() {
        served.socket.destroy();
        await scene[Symbol.asyncDispose]();
        await member[Symbol.asyncDispose]();
      },
    };
  }

  const ways: [string, (client: HttpClient) => void][] = [
    ['ends', (client) => client.end()],
    ['closes', (client) => client.socket.destroy()],
    ['resets', (client) => client.reset()],
  ];
  for (const [how, leaves] of ways) {
    test.for([false, true])(`gives up its place when it ${how}; had asked: %s`, async (asks) => {
      await using stage = await busy();
      using leaver = await HttpClient.connect(stage.scene.place);
      if (asks) leaver.request('/in-vain');
      await wait(stage.scene, 1);
      leaves(leaver);
      await wait(stage.scene, 0);
      using next = await HttpClient.connect(stage.scene.place);
      next.request('/next');
      await wait(stage.scene, 1);
      stage.served.end();
      expect((await next.answer()).body).toBe('/next 0');
      next.end();
      await stage.scene.isAtRest();
      expect(stage.member.requests.map(({ target }) => target)).toEqual(['/served', '/next']);
      expect(stage.scene.vip.stats).toMatchObject({ requests: 2, rejects: 0, totalConnections: 2 });
    });
  }

  test('loses nothing of what it has sent meanwhile, and takes no more than a little of it', async () => {
    using accepted = new Accepted();
    await using stage = await busy();
    using client = await HttpClient.connect(stage.scene.place);
    client.request('/large', { body: 'x'.repeat(30_000_000) });
    await wait(stage.scene, 1);
    const socket = accepted.last(stage.scene.place);
    expect(await settled(() => socket.bytesRead, 'no more is read')).toBeLessThan(200_000);
    stage.served.end();
    expect((await client.answer()).body).toBe('/large 30000000');
    client.request('/more');
    expect((await client.answer()).body).toBe('/more 0');
    client.end();
    await stage.scene.isAtRest();
  });

  test('is timed from its turn on', async () => {
    await using stage = await busy();
    stage.scene.vip.update({ timeouts: { request: 200 } });
    using client = await HttpClient.connect(stage.scene.place);
    client.send('GET /slow HTTP/1.1\r\n');
    await wait(stage.scene, 1);
    for (let turn = 0; turn < 30; turn++) {
      await stage.served.ask('/again');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(client.hasEnded || client.hasClosed).toBe(false);
    stage.served.end();
    expect((await client.answer()).status).toBe(408);
    await client.closed();
    await stage.scene.isAtRest();
  });
});
