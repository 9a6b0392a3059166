import { createHash, type Hash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { Client } from '../fixtures/node/client.ts';
import { Child } from '../fixtures/node/process.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { settled, soon, until } from '../fixtures/node/until.ts';

const mebi = 1024 * 1024;
const noise = randomBytes(mebi + 4093);

/** Writes noise as fast as it is taken, and resolves with the hash of it. */
async function pour(socket: Socket, total: number): Promise<string> {
  const hash = createHash('sha1');
  for (let sent = 0; sent < total; ) {
    const chunk = noise.subarray(0, Math.min(noise.length, total - sent));
    hash.update(chunk);
    sent += chunk.length;
    if (socket.destroyed) throw new Error(`closed after ${sent} bytes`);
    if (!socket.write(chunk)) {
      const { promise, resolve } = deferred();
      socket.once('drain', resolve).once('close', resolve);
      await promise;
      socket.off('drain', resolve).off('close', resolve);
    }
  }
  return hash.digest('hex');
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

class Drinker {
  bytes = 0;
  readonly #hash: Hash = createHash('sha1');
  readonly done: Promise<string>;

  constructor(socket: Socket, onBytes: (bytes: number) => void = () => {}) {
    this.done = new Promise((resolve, reject) => {
      socket.on('data', (chunk) => {
        this.#hash.update(chunk);
        this.bytes += chunk.length;
        onBytes(this.bytes);
      });
      socket.on('end', () => resolve(this.#hash.digest('hex')));
      socket.on('error', reject);
    });
  }
}

describe('the two directions end independently', () => {
  test('a client that ends first still gets all of its reply', async () => {
    await using backend = await Backend.start({
      does: (socket) => {
        socket.resume().on('end', () => socket.end('r'.repeat(5 * mebi)));
      },
    });
    await using scene = await Scene.open({ members: [backend.at] });
    using client = await Client.connect(scene.place);
    client.end('a question');
    expect(await client.closed()).toBeUndefined();
    expect(client.received.length).toBe(5 * mebi);
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ bytesIn: 10, bytesOut: 5 * mebi });
  });

  test('a client that ends before its member is even connected still gets its reply', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] });
    using client = Client.start(scene.place);
    client.end('a question');
    expect(await client.closed()).toBeUndefined();
    expect(client.received).toBe('a question');
    await scene.isAtRest();
  });

  test('a member that ends first still gets all of its client’s bytes', async () => {
    let got = '';
    await using backend = await Backend.start({
      does: (socket) => {
        socket.end('that is all');
        socket.on('data', (chunk) => {
          got += chunk.toString('latin1');
        });
      },
    });
    await using scene = await Scene.open({ members: [backend.at] });
    using client = await Client.connect(scene.place);
    await client.ended();
    expect(client.received).toBe('that is all');
    client.end('s'.repeat(5 * mebi));
    expect(await client.closed()).toBeUndefined();
    await until(() => got.length === 5 * mebi, 'the member has it all');
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ bytesIn: 5 * mebi, bytesOut: 11 });
  });

  test('a half-closed connection stays as long as the other half talks', async () => {
    await using backend = await Backend.start({
      does: (socket) => void socket.resume().on('end', () => socket.write('one')),
    });
    await using scene = await Scene.open({ members: [backend.at] });
    using client = await Client.connect(scene.place);
    client.end('over');
    await client.receives('one');
    const [memberSide] = backend.sockets;
    memberSide?.write('two');
    await client.receives('two');
    expect(scene.vip.stats.activeConnections).toBe(1);
    memberSide?.end('three');
    await client.closed();
    expect(client.received).toBe('onetwothree');
    await scene.isAtRest();
  });
});

describe('resets', () => {
  test('a member’s reset reaches the client as a reset', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    for (const socket of backend.sockets) socket.resetAndDestroy();
    expect(await client.closed()).toBe('ECONNRESET');
    await scene.isAtRest();
  });

  test('a client’s reset reaches the member as a reset', async () => {
    let error: NodeJS.ErrnoException | undefined;
    await using backend = await Backend.start({
      does: (socket, backend) => {
        echoes(socket, backend);
        socket.on('error', (cause) => {
          error = cause;
        });
      },
    });
    await using scene = await Scene.open({ members: [backend.at] });
    using client = await Client.connect(scene.place);
    await client.isEchoed('hello');
    client.reset();
    await until(() => error !== undefined, 'the member sees it');
    expect(error?.code).toBe('ECONNRESET');
    await scene.isAtRest();
  });

  test('a member that resets after it had ended is no reason to lose what it had said', async () => {
    await using backend = await Backend.start({
      does: (socket) => {
        socket.once('data', () => socket.end('the whole answer', () => setImmediate(() => socket.destroy())));
      },
    });
    await using scene = await Scene.open({ members: [backend.at] });
    for (let turn = 0; turn < 50; turn++) {
      using client = await Client.connect(scene.place);
      client.send('question');
      await client.ended();
      expect(client.received).toBe('the whole answer');
    }
    await scene.isAtRest();
  });

  test('a client’s reset during bulk leaves nothing behind', async () => {
    await using backend = await Backend.start({ does: (socket) => void pour(socket, 64 * mebi).catch(() => {}) });
    await using scene = await Scene.open({ members: [backend.at] });
    for (let turn = 0; turn < 20; turn++) {
      using client = await Client.connect(scene.place);
      await until(() => client.received.length > 100_000, 'bulk flows');
      client.reset();
    }
    await until(() => backend.sockets.size === 0, 'the member has heard of it');
    await scene.isAtRest();
  });
});

describe('bulk', () => {
  test('1 GiB is echoed through to a slow reader, intact and in little memory', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using relay = Child.run('relay.mjs', [backend.at]);
    const { port } = await relay.message<{ port: number }>();
    const total = 1024 * mebi;
    const client = connect({ host: '127.0.0.1', port, noDelay: true });
    try {
      let rested = 0;
      const drinker = new Drinker(client, (bytes) => {
        // Stops reading 16 times on the way.
        if (bytes < (rested + 1) * 64 * mebi) return;
        rested++;
        client.pause();
        setTimeout(() => client.resume(), 60);
      });
      const poured = pour(client, total).then((hash) => {
        client.end();
        return hash;
      });
      const got = await soon(drinker.done, 'all of it comes back', 50_000);
      expect(drinker.bytes).toBe(total);
      expect(got).toBe(await poured);
      expect(rested).toBeGreaterThanOrEqual(15);
    } finally {
      client.destroy();
    }
    const report = await relay.ask<{ peakRss: number; errors: unknown[]; vip: object; pool: object }>('report');
    expect(report.peakRss / mebi).toBeLessThan(256);
    expect(report.errors).toEqual([]);
    await until(async () => {
      const { vip } = await relay.ask<{ vip: { activeConnections: number } }>('report');
      return vip.activeConnections === 0;
    }, 'the relay is at rest');
    expect(report.vip).toMatchObject({ totalConnections: 1, bytesIn: total, bytesOut: total });
    expect(report.pool).toMatchObject({ totalConnections: 1, bytesIn: total, bytesOut: total });
  });

  test('a client that stops reading is not buffered for, and gets everything once it reads', async () => {
    const total = 128 * mebi;
    let poured: Promise<string> | undefined;
    await using backend = await Backend.start({
      does: (socket) => {
        poured = pour(socket, total);
        poured.then(
          () => socket.end(),
          () => {},
        );
      },
    });
    await using scene = await Scene.open({ members: [backend.at] });
    const client = connect({ ...scene.place } as { host: string; port: number });
    try {
      await until(() => scene.vip.stats.bytesOut > 0, 'bytes flow');
      const stalledAt = await settled(() => scene.vip.stats.bytesOut, 'the flow stalls');
      // The kernel's buffers towards the client, and next to nothing of ours.
      expect(stalledAt).toBeLessThan(24 * mebi);
      const drinker = new Drinker(client);
      expect(await soon(drinker.done, 'the rest', 30_000)).toBe(await poured);
      expect(drinker.bytes).toBe(total);
    } finally {
      client.destroy();
    }
    await scene.isAtRest();
    expect(scene.vip.stats.bytesOut).toBe(total);
  });

  test('a member that stops reading is not buffered for, and gets everything once it reads', async () => {
    const total = 128 * mebi;
    let drinker: Drinker | undefined;
    await using backend = await Backend.start({ does: (socket) => void socket.pause() });
    await using scene = await Scene.open({ members: [backend.at] });
    const client = connect({ ...scene.place } as { host: string; port: number });
    try {
      const poured = pour(client, total).then((hash) => {
        client.end();
        return hash;
      });
      await until(() => scene.vip.stats.bytesIn > 0, 'bytes flow');
      const stalledAt = await settled(() => scene.vip.stats.bytesIn, 'the flow stalls');
      expect(stalledAt).toBeLessThan(24 * mebi);
      const [memberSide] = backend.sockets;
      if (memberSide === undefined) throw new Error('the member has no connection');
      drinker = new Drinker(memberSide);
      memberSide.on('end', () => memberSide.end());
      memberSide.resume();
      expect(await soon(drinker.done, 'the rest', 30_000)).toBe(await poured);
      expect(drinker.bytes).toBe(total);
    } finally {
      client.destroy();
    }
    await scene.isAtRest();
    expect(scene.vip.stats.bytesIn).toBe(total);
  });

  test('a stalled client does not hold up the others', async () => {
    await using backend = await Backend.start({
      does: (socket) => {
        socket.once('data', (chunk) => {
          if (chunk.toString().startsWith('flood'))
            void pour(socket, 32 * mebi).then(
              () => socket.end(),
              () => {},
            );
          else socket.end('quick');
        });
      },
    });
    await using scene = await Scene.open({ members: [backend.at] });
    const stalled = connect({ ...scene.place } as { host: string; port: number });
    try {
      stalled.write('flood');
      await until(() => scene.vip.stats.bytesOut > 0, 'bytes flow');
      await settled(() => scene.vip.stats.bytesOut, 'the flow stalls');
      for (let turn = 0; turn < 20; turn++) {
        using client = await Client.connect(scene.place);
        client.send('who?');
        await client.receives('quick');
        client.end();
      }
    } finally {
      stalled.destroy();
    }
    await scene.isAtRest();
  });

  test('what waits for a slow client is not overwritten by what others are sent', async () => {
    const piece = (index: number): Buffer => Buffer.alloc(4000, String.fromCharCode(97 + (index % 26)));
    const pieces = 4000;
    await using backend = await Backend.start({
      does: (socket) => {
        socket.once('data', async (chunk) => {
          if (!chunk.toString().startsWith('in pieces')) {
            socket.end('X'.repeat(3000));
            return;
          }
          for (let index = 0; index < pieces && !socket.destroyed; index++) {
            socket.write(piece(index));
            // Small reads, one after the other.
            await new Promise((resolve) => setImmediate(resolve));
          }
          socket.end();
        });
      },
    });
    await using scene = await Scene.open({ members: [backend.at] });
    const slow = connect({ ...scene.place } as { host: string; port: number });
    try {
      slow.write('in pieces');
      await until(() => scene.vip.stats.bytesOut > 0, 'bytes flow');
      await settled(() => scene.vip.stats.bytesOut, 'the flow stalls');
      for (let turn = 0; turn < 20; turn++) {
        using client = await Client.connect(scene.place);
        client.end('all at once');
        await client.closed();
        expect(client.received).toBe('X'.repeat(3000));
      }
      const drinker = new Drinker(slow);
      const expected = createHash('sha1');
      for (let index = 0; index < pieces; index++) expected.update(piece(index));
      expect(await soon(drinker.done, 'the rest', 30_000)).toBe(expected.digest('hex'));
    } finally {
      slow.destroy();
    }
    await scene.isAtRest();
  });

  test('many connections that move bulk at once keep their bytes apart', async () => {
    await using fleet = await Backend.fleet(2, echoes);
    await using scene = await Scene.open({ members: fleet.members });
    const total = 6 * mebi;
    await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const client = connect({ ...scene.place } as { host: string; port: number });
        try {
          const own = createHash('sha1');
          const got = new Drinker(client);
          for (let sent = 0; sent < total; ) {
            const start = (index * 40_009 + sent) % mebi;
            const chunk = noise.subarray(start, start + Math.min(1 + ((index * 7919 + sent) % 90_000), total - sent));
            own.update(chunk);
            sent += chunk.length;
            if (!client.write(chunk)) await new Promise<void>((resolve) => client.once('drain', () => resolve()));
            if (sent % 13 === 0) await sleep(1);
          }
          client.end();
          expect(await soon(got.done, 'all of it comes back', 40_000)).toBe(own.digest('hex'));
        } finally {
          client.destroy();
        }
      }),
    );
    await scene.isAtRest();
    expect(scene.vip.stats).toMatchObject({ bytesIn: 24 * total, bytesOut: 24 * total });
  });
});
