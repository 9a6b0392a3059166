import { describe, expect, test } from 'vitest';
import { Backend, type Service } from '../../fixtures/node/backend.ts';
import { tally } from '../../fixtures/node/client.ts';
import { ownHost } from '../../fixtures/node/places.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const agentCheck = { delay: 30, timeout: 5000 } as const;

/** A member and, at the same address, its agent. */
async function withAgent(does: Service): Promise<{ member: Backend; agent: Backend; spec: object } & AsyncDisposable> {
  const host = ownHost();
  const member = await Backend.start({ name: 'm', host });
  const agent = await Backend.start({ name: 'agent', host, does });
  return {
    member,
    agent,
    spec: { id: 'm', address: host, port: member.port, weight: 100, agentPort: agent.port },
    async [Symbol.asyncDispose]() {
      await member.stop();
      await agent.stop();
    },
  };
}

const says = (line: () => string): Service => {
  return (socket) => socket.end(line());
};

describe('an agent', () => {
  test('is asked and answers as in HAProxy’s reg-tests/checks/agent-check.vtc', async () => {
    let heard = '';
    await using one = await withAgent((socket) => {
      socket.once('data', (data) => {
        heard = data.toString();
        socket.end('75%,maxconn:30,maint,down\n');
      });
    });
    await using scene = await Scene.open({
      members: [one.spec as never],
      agentCheck: { ...agentCheck, send: 'pouet' },
    });
    const before = scene.member('m');
    expect([before.weight, before.status]).toEqual([100, 'no-monitor']);
    await until(() => scene.memberStatuses === 'offline', 'the agent is heard');
    expect(heard).toBe('pouet');
    expect([before.weight, before.maxConnections, before.statusReason]).toEqual([75, 30, 'agent: maint']);
    await scene.isAtRest();
  });

  test('steers its member while that serves', async () => {
    let line = 'up ready\n';
    await using one = await withAgent(says(() => line));
    await using other = await Backend.start({ name: 'other' });
    const { port } = other;
    const [, address = ''] = /^(.*):/.exec(other.at) ?? [];
    const second = { id: 'other', address, port, weight: 100 };
    await using scene = await Scene.open({ members: [one.spec as never, second], agentCheck });
    await until(() => scene.member('m').agent !== undefined, 'the agent is heard');
    expect(await tally(scene.place, 20)).toEqual({ m: 10, other: 10 });
    line = '50%';
    await until(() => scene.member('m').weight === 50, 'half of it');
    expect(await tally(scene.place, 30)).toEqual({ m: 10, other: 20 });
    line = 'drain\r\n';
    await until(() => scene.member('m').status === 'draining', 'none of it');
    expect(await tally(scene.place, 10)).toEqual({ other: 10 });
    line = 'ready 100%\n';
    await until(() => scene.member('m').status === 'no-monitor' && scene.member('m').weight === 100, 'all of it');
    await one.agent.stop();
    await until(() => scene.member('m').agent?.failure !== undefined, 'the agent is missed');
    expect(await tally(scene.place, 20)).toEqual({ m: 10, other: 10 });
    expect(scene.member('other').agent).toBeUndefined();
    await scene.isAtRest();
  });

  for (const [what, does, failure] of [
    ['closes without a word', (socket) => socket.end(), 'the agent closed without a word'],
    ['has no end of its line', (socket) => socket.write('x'.repeat(5000)), "the agent's line has more than 1024 bytes"],
    ['says what nobody understands', (socket) => socket.end('SSH-2.0-OpenSSH\r\n'), "the agent says 'SSH-2.0-OpenSSH'"],
  ] as readonly [string, Service, string][]) {
    test(`that ${what} changes nothing`, async () => {
      await using one = await withAgent((socket, agent) => {
        socket.on('error', () => {}).on('end', () => socket.end());
        does(socket, agent);
      });
      await using scene = await Scene.open({ members: [one.spec as never], agentCheck });
      await until(() => scene.member('m').agent?.failure === failure, 'that is seen');
      expect(scene.memberStatuses).toBe('no-monitor');
      await scene.isAtRest();
    });
  }

  test('that does not answer in time is given up, and its connection with it', async () => {
    await using one = await withAgent((socket) => socket.on('error', () => {}).on('end', () => socket.end()));
    await using scene = await Scene.open({ members: [one.spec as never], agentCheck: { delay: 20, timeout: 20 } });
    await until(() => scene.member('m').agent?.failure === 'no answer within 20 ms', 'that is seen');
    await until(() => one.agent.accepted > 3, 'it is asked again');
    expect(one.agent.sockets.size).toBeLessThan(3);
    await scene.isAtRest();
  });

  test('byte by byte is understood', async () => {
    await using one = await withAgent(async (socket) => {
      for (const character of 'drain 75%\n') {
        socket.write(character);
        await new Promise(setImmediate);
      }
      socket.end();
    });
    await using scene = await Scene.open({ members: [one.spec as never], agentCheck });
    await until(() => scene.memberStatuses === 'draining', 'the agent is heard');
    expect(scene.member('m').weight).toBe(75);
    await scene.isAtRest();
  });
});
