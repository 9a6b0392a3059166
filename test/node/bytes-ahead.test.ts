import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Session } from '../../src/index.ts';
import { BytesAhead } from '../../src/node/bytes-ahead.ts';
import type { ServedClient, Server } from '../../src/node/vip-server.ts';
import { WaitingClient } from '../../src/node/waiting-client.ts';
import { until } from '../fixtures/node/until.ts';

describe('what clients send ahead', () => {
  test('is kept in order, as one piece', () => {
    const ahead = new BytesAhead();
    expect([ahead.length, ahead.bytes.toString()]).toEqual([0, '']);
    const pieces = ['how ', 'do ', '', 'you', ' do?', ' Fine, thank you very much indeed, and you?'];
    for (const piece of pieces) ahead.add(Buffer.from(piece));
    expect(ahead.bytes.toString()).toBe(pieces.join(''));
    expect(ahead.length).toBe(pieces.join('').length);
  });

  test('leaves the first piece as it came', () => {
    const whole = Buffer.from('first and more');
    const ahead = new BytesAhead();
    ahead.add(whole.subarray(0, 5));
    ahead.add(Buffer.from('!!!'));
    expect([ahead.bytes.toString(), whole.toString()]).toEqual(['first!!!', 'first and more']);
  });

  test('takes no more than twice its size, however small its pieces are', () => {
    const ahead = new BytesAhead();
    for (let count = 0; count < 60_000; count++) ahead.add(Buffer.from('x'));
    expect(ahead.length).toBe(60_000);
    expect(ahead.bytes.buffer.byteLength).toBeLessThanOrEqual(120_000);
  });
});

test('a TCP client that waits may be looked at as often as one likes: what it sent, and its end, are still there', async () => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect((server.address() as { port: number }).port, '127.0.0.1');
  const socket = await accepted;
  let received = '';
  let hasEnded = false;
  const nobody = {} as Session;
  const next = {
    start() {
      socket.on('data', (bytes) => (received += bytes));
      socket.on('end', () => (hasEnded = true));
      socket.resume();
    },
  } as ServedClient<unknown>;
  const waiting = new WaitingClient(
    { handedOver() {} } as unknown as Server<unknown>,
    socket,
    nobody,
    false,
    () => next,
  );
  for (const piece of ['one ', 'two ', 'three']) {
    const goal = socket.readableLength + piece.length;
    client.write(piece);
    await until(() => socket.readableLength === goal, 'it has come');
    waiting.inspect();
    waiting.inspect();
  }
  client.end();
  await new Promise((resolve) => client.once('finish', resolve));
  for (let look = 0; look < 20; look++) {
    await new Promise(setImmediate);
    waiting.inspect();
  }
  expect(hasEnded).toBe(false);
  waiting.start();
  await until(() => hasEnded, 'its end is seen');
  expect(received).toBe('one two three');
  socket.destroy();
  client.destroy();
  server.close();
});
