import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { udpConnectProbe } from '../../../src/node/index.ts';
import { rejectionOf, thrownBy } from '../../fixtures/core.ts';
import { check, verdict } from '../../fixtures/node/check.ts';
import { ownHost } from '../../fixtures/node/places.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

type Does = (socket: Socket, from: RemoteInfo) => void;

interface UdpMember extends AsyncDisposable {
  readonly at: string;
  readonly received: string[];
}

const keepsSilent: Does = () => {};

async function udpMember(host = ownHost(), does = keepsSilent, port = 0): Promise<UdpMember> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const received: string[] = [];
  socket.on('message', (datagram, from) => {
    received.push(datagram.toString());
    does(socket, from);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  const at = host.includes(':') ? `[${host}]` : host;
  return {
    at: `${at}:${socket.address().port}`,
    received,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

describe('a UDP check', () => {
  test('passes where the member keeps silent', async () => {
    await using member = await udpMember();
    expect(await verdict(udpConnectProbe({ silence: 50 }), member.at)).toBe('passed');
    expect(member.received[0]).toBe('X');
  });

  test('asks twice', async () => {
    await using member = await udpMember();
    void check(udpConnectProbe({ silence: 200 }), member.at);
    await until(() => member.received.length === 2, 'two datagrams');
  });

  test('passes before the silence is over where the member answers', async () => {
    await using member = await udpMember(ownHost(), (socket, from) => socket.send('yes', from.port, from.address));
    expect(await verdict(udpConnectProbe({ silence: 2_000_000_000 }), member.at)).toBe('passed');
  });

  for (const host of ['127.0.0.1', '::1']) {
    test(`fails where nobody listens at ${host}`, async () => {
      const member = await udpMember(host);
      await member[Symbol.asyncDispose]();
      expect(await verdict(udpConnectProbe(), member.at)).toBe(`UDP port unreachable: ${member.at}`);
    });
  }

  test('passes at an IPv6 address', async () => {
    await using member = await udpMember('::1');
    expect(await verdict(udpConnectProbe({ silence: 20 }), member.at)).toBe('passed');
  });

  test('finds a member by its name', async () => {
    await using member = await udpMember('127.0.0.1');
    const named = member.at.replace('127.0.0.1', 'localhost');
    expect(await verdict(udpConnectProbe({ silence: 20 }), named)).toMatch(/^passed$|^UDP port unreachable: \[::1\]/);
  });

  test('fails where there is no such name', async () => {
    expect(await verdict(udpConnectProbe({ silence: 20 }), 'nowhere.invalid:53')).toContain('nowhere.invalid');
  });

  test('fails at a Unix socket', async () => {
    expect(await verdict(udpConnectProbe(), 'unix:/run/nothing')).toBe('a Unix socket has no UDP port');
  });

  test('gives up with the signal’s reason', async () => {
    await using member = await udpMember();
    const controller = new AbortController();
    const answer = rejectionOf(check(udpConnectProbe({ silence: 60_000 }), member.at, controller.signal));
    await until(() => member.received.length > 0, 'the first datagram');
    controller.abort(new Error('too late'));
    expect(await answer).toMatchObject({ message: 'too late' });
  });

  test('does not begin where the signal has aborted before', async () => {
    await using member = await udpMember();
    const error = await rejectionOf(check(udpConnectProbe(), member.at, AbortSignal.abort(new Error('never'))));
    expect(error).toMatchObject({ message: 'never' });
    expect(member.received).toEqual([]);
  });

  test('refuses a silence that is none', () => {
    expect(thrownBy(() => udpConnectProbe({ silence: 0 }))).toMatchObject({ path: 'silence' });
  });
});

test('a UDP monitor takes a member out when its port is closed, and brings it back', async () => {
  await using first = await udpMember();
  const host = ownHost();
  let second = await udpMember(host);
  const port = Number(second.at.split(':')[1]);
  await using scene = await Scene.open({
    members: [first.at, second.at],
    healthMonitor: { type: 'udp-connect', delay: 50, timeout: 2000, maxRetries: 1, maxRetriesDown: 1 },
  });
  await until(() => first.received.length > 2 && second.received.length > 2, 'some checks');
  expect(scene.memberStatuses).toBe('online,online');
  await second[Symbol.asyncDispose]();
  await until(() => scene.memberStatuses === 'online,error', 'the monitor has found out');
  second = await udpMember(host, keepsSilent, port);
  await until(() => scene.memberStatuses === 'online,online', 'the member is back');
  await second[Symbol.asyncDispose]();
});
