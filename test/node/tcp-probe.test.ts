import { expect, test } from 'vitest';
import { tcpProbe } from '../../src/node/index.ts';
import { Backend } from '../fixtures/node/backend.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

test('a check lets a member that greets its clients finish, and closes as a client that is done', async () => {
  const ends: string[] = [];
  await using backend = await Backend.start({
    does: (socket) => {
      socket.on('error', (error) => ends.push(error.message));
      socket.on('end', () => ends.push('end'));
      socket.resume();
      // Some of it after the check has had its answer.
      socket.write('220 mail.example ESMTP\r\n');
      setImmediate(() => socket.end('at your service\r\n'));
    },
  });
  await using scene = await Scene.open({ members: [backend.at], healthMonitor: { type: 'tcp', delay: 20 } });
  await until(() => ends.length >= 5, 'five checks');
  expect(new Set(ends)).toEqual(new Set(['end']));
  await scene.isAtRest();
});

test('a check does not stay with a member that never closes, nor with one that never stops talking', async () => {
  await using backend = await Backend.start({
    does: (socket) => {
      socket.on('error', () => {});
      const talk = setInterval(() => socket.write('and another thing'), 10);
      socket.on('close', () => clearInterval(talk));
    },
  });
  await using scene = await Scene.open({ members: [backend.at], healthMonitor: { type: 'tcp', delay: 100_000 } });
  await until(() => backend.accepted === 1 && backend.sockets.size === 1, 'the check comes');
  await until(() => backend.sockets.size === 0, 'the check goes');
  await scene.isAtRest();
});

test('a check of a user’s own making can ask the built-in one', async () => {
  await using backend = await Backend.start();
  const tcp = tcpProbe();
  await using scene = await Scene.open({
    members: [backend.at],
    healthMonitor: {
      type: {
        name: 'twice',
        check: async (target) => {
          await tcp.check(target);
          await tcp.check(target);
        },
      },
      delay: 100_000,
      initialHealth: 'down',
    },
  });
  const [member] = scene.vip.pool.members;
  await until(() => member?.status === 'online', 'the member is up');
  expect(backend.accepted).toBe(2);
});
