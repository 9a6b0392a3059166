import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Strategy, VipSettings } from '../../../src/index.ts';
import { ProxyHeaderReader } from '../../../src/proxy-protocol/proxy-header-reader.ts';
import { Backend, echoes, listensOnly } from '../../fixtures/node/backend.ts';
import { Client } from '../../fixtures/node/client.ts';
import { ownFolder } from '../../fixtures/node/places.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';
import { tlv, version2 } from '../../proxy-protocol/wire.ts';

const trusting: VipSettings = { acceptProxyProtocol: { trustedCidrs: ['127.0.0.0/8', '::1'] } };

const line = 'PROXY TCP4 192.0.2.7 198.51.100.9 40000 443\r\n';
const binary = latin1(version2('2111', 'c0000207 c6336409 9c40 01bb', tlv(2, 'a.example')));
const headers: readonly (readonly [string, string])[] = [
  ['version 1', line],
  ['version 2', binary],
  ['LOCAL', latin1(version2('2000'))],
  ['UNKNOWN', 'PROXY UNKNOWN\r\n'],
];

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Bytes as they are. */
function send(client: Client, bytes: string): void {
  client.socket.write(bytes, 'latin1');
}

/** Takes the first member for everybody, and notes who it was. */
function noting(seen: string[]): Strategy {
  return {
    name: 'noting',
    prepare: ([member]) => ({
      pick: ({ clientAddress, clientPort }) => {
        seen.push(`${clientAddress} ${clientPort}`);
        return member;
      },
    }),
  };
}

async function stage(settings: Parameters<typeof Scene.open>[1] = {}) {
  const backend = await Backend.start({ does: echoes });
  const seen: string[] = [];
  const scene = await Scene.open({ members: [backend.at], strategy: noting(seen) }, { ...trusting, ...settings });
  return {
    backend,
    scene,
    seen,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

describe('a connection with a PROXY header', () => {
  test.each(headers)('of %s is served, and the header is not part of it', async (_, header) => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    send(client, `${header}hello`);
    await client.receives('hello');
    await client.isEchoed('again');
    client.end();
    await client.ended();
    expect(client.received).toBe('helloagain');
    await on.scene.isAtRest();
    expect(on.scene.vip.stats).toMatchObject({ totalConnections: 1, bytesIn: 10, rejects: 0 });
  });

  test.each(headers)('of %s is served when it comes byte by byte', async (_, header) => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    for (const byte of `${header}hello`) {
      send(client, byte);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await client.receives('hello');
    client.end();
    await client.ended();
    expect(client.received).toBe('hello');
    await on.scene.isAtRest();
  });

  test('is the connection of the client that the header names', async () => {
    await using on = await stage();
    for (const [header, expected] of [
      [line, '192.0.2.7 40000'],
      [binary, '192.0.2.7 40000'],
      ['PROXY TCP6 2001:DB8:0:0::7 ::1 65535 1\r\n', '2001:db8::7 65535'],
    ] as const) {
      using client = await Client.connect(on.scene.place);
      send(client, `${header}hello`);
      await client.receives('hello');
      expect(on.seen.pop()).toBe(expected);
    }
  });

  test.each(headers.slice(2))('of %s is the connection of the peer itself', async (_, header) => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    send(client, `${header}hello`);
    await client.receives('hello');
    expect(on.seen).toEqual([`127.0.0.1 ${client.socket.localPort}`]);
  });

  test('that goes by an IPv6 listener is served', async () => {
    await using on = await stage({ address: '::1' });
    using client = await Client.connect(on.scene.place);
    send(client, `${line}hello`);
    await client.receives('hello');
    expect(on.seen).toEqual(['192.0.2.7 40000']);
  });

  test('and nothing more to say still gets its answer', async () => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    client.end(`${line}hello`);
    await client.receives('hello');
    await client.ended();
    await on.scene.isAtRest();
  });

  test('and nothing at all behind it is passed on to its end', async () => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    client.end(line);
    await client.ended();
    expect([client.received, client.error, on.backend.accepted]).toEqual(['', undefined, 1]);
    await on.scene.isAtRest();
  });

  test('is turned away where the client that it names is not allowed', async () => {
    await using on = await stage({ allowedCidrs: ['192.0.2.0/24'] });
    using welcome = await Client.connect(on.scene.place);
    send(welcome, `${line}hello`);
    await welcome.receives('hello');
    using stranger = await Client.connect(on.scene.place);
    send(stranger, 'PROXY TCP4 203.0.113.9 198.51.100.9 40000 443\r\nhello');
    expect(await stranger.closed()).toBe('ECONNRESET');
    expect(on.scene.rejected).toEqual([{ clientAddress: '203.0.113.9', reason: 'not-allowed' }]);
    welcome.end();
    await on.scene.isAtRest();
  });

  test('and much behind it loses none of it while it waits for its turn', async () => {
    await using on = await stage({ connectionLimit: 1 });
    using first = await Client.connect(on.scene.place);
    send(first, `${line}first`);
    await first.receives('first');
    using second = await Client.connect(on.scene.place);
    const much = 'much'.repeat(100_000);
    second.end(`${line}${much}`);
    await until(() => on.scene.vip.stats.waitingConnections === 1, 'the second waits');
    first.end();
    await until(() => second.received.length === much.length, 'all of it comes back');
    expect(second.received).toBe(much);
    await second.ended();
    await on.scene.isAtRest();
  });

  test('that ends behind its header while it waits for its turn gives up its place', async () => {
    await using on = await stage({ connectionLimit: 1 });
    using first = await Client.connect(on.scene.place);
    send(first, `${line}first`);
    await first.receives('first');
    using second = await Client.connect(on.scene.place);
    second.end(line);
    await second.ended();
    expect(second.error).toBeUndefined();
    await until(() => on.scene.vip.stats.waitingConnections === 0, 'the second has left');
    first.end();
    await on.scene.isAtRest();
    expect(on.scene.vip.stats.totalConnections).toBe(1);
  });
});

describe('a connection is closed', () => {
  test('that comes from elsewhere, whatever it says', async () => {
    await using on = await stage({ acceptProxyProtocol: { trustedCidrs: ['10.0.0.0/8', 'unix:'] } });
    using client = Client.start(on.scene.place);
    send(client, `${line}hello`);
    expect(await client.closed()).toBe('ECONNRESET');
    expect(on.scene.rejected).toEqual([{ clientAddress: '127.0.0.1', reason: 'untrusted-proxy' }]);
    expect([on.scene.vip.stats.rejects, on.backend.accepted]).toEqual([1, 0]);
    await on.scene.isAtRest();
  });

  test.each([
    ['GET / HTTP/1.1\r\n\r\n', 'no PROXY header'],
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'no PROXY header'],
    ['proxy TCP4 192.0.2.7 198.51.100.9 40000 443\r\n', 'no PROXY header'],
    [`${line.slice(0, -2)}\n`, 'a PROXY line that ends in a bare LF'],
    [`PROXY TCP4 ${'1'.repeat(200)}`, 'a PROXY line of more than 107 bytes'],
    [latin1(version2('2111', 'c0000207')), undefined],
    [latin1(version2('2311', 'c0000207 c6336409 9c40 01bb')), undefined],
  ])('that begins with %j', async (bytes, detail) => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    send(client, bytes);
    expect(await client.closed()).toBe('ECONNRESET');
    expect(on.scene.rejected).toMatchObject([{ clientAddress: '127.0.0.1', reason: 'bad-proxy-header' }]);
    if (detail !== undefined) expect(on.scene.rejected).toMatchObject([{ detail }]);
    expect([on.scene.vip.stats.rejects, on.scene.vip.stats.totalConnections, on.backend.accepted]).toEqual([1, 0, 0]);
  });

  test('whose header announces more than maximumBlock, before any of that has come', async () => {
    await using on = await stage({ acceptProxyProtocol: { trustedCidrs: ['127.0.0.1'], maximumBlock: 30 } });
    using small = await Client.connect(on.scene.place);
    send(small, `${binary}hello`);
    await small.receives('hello');
    using large = await Client.connect(on.scene.place);
    send(large, '\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x1f');
    expect(await large.closed()).toBe('ECONNRESET');
    expect(on.scene.rejected).toMatchObject([{ detail: 'a PROXY header of more than 46 bytes' }]);
  });

  test.each(['', 'PROXY TCP4 192.0.2.7'])('whose header is late, after %j', async (bytes) => {
    await using on = await stage({ acceptProxyProtocol: { trustedCidrs: ['127.0.0.1'], timeout: 60 } });
    using client = await Client.connect(on.scene.place);
    send(client, bytes);
    expect(await client.closed()).toBe('ECONNRESET');
    const detail = 'no complete PROXY header within 60 ms';
    expect(on.scene.rejected).toEqual([{ clientAddress: '127.0.0.1', reason: 'late-proxy-header', detail }]);
    expect(on.scene.vip.stats).toMatchObject({ rejects: 1, totalConnections: 0 });
  });

  test('whose header drips in for ever', async () => {
    await using on = await stage({ acceptProxyProtocol: { trustedCidrs: ['127.0.0.1'], timeout: 60 } });
    using client = await Client.connect(on.scene.place);
    send(client, binary.slice(0, 14));
    // A block of 4096 bytes, of which one comes now and then.
    send(client, '\x10\x00');
    while (!client.hasClosed) {
      send(client, '\x00');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(on.scene.rejected.map(({ reason }) => reason)).toEqual(['late-proxy-header']);
  });

  test('whose header is cut off', async () => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    client.end(line.slice(0, 20));
    await client.closed();
    const detail = 'a PROXY header that is cut off';
    expect(on.scene.rejected).toEqual([{ clientAddress: '127.0.0.1', reason: 'bad-proxy-header', detail }]);
  });
});

describe('a connection that waits for its header', () => {
  test('takes nobody a place', async () => {
    await using on = await stage({ connectionLimit: 1, backlog: 0 });
    using silent = await Client.connect(on.scene.place);
    send(silent, 'PROXY ');
    using client = await Client.connect(on.scene.place);
    send(client, `${line}hello`);
    await client.receives('hello');
    expect(on.scene.vip.stats).toMatchObject({ activeConnections: 1, waitingConnections: 0, rejects: 0 });
  });

  test.each(['end', 'reset', 'reset amid'] as const)('is no error where the balancer only looked: %s', async (how) => {
    await using on = await stage({ acceptProxyProtocol: { trustedCidrs: ['127.0.0.1'], timeout: 1_000_000 } });
    using client = await Client.connect(on.scene.place);
    if (how === 'reset amid') send(client, 'PROXY TCP4 1');
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (how === 'end') client.end();
    else client.reset();
    await client.closed();
    using next = await Client.connect(on.scene.place);
    send(next, `${line}hello`);
    await next.receives('hello');
    next.end();
    await next.closed();
    expect([on.scene.rejected, on.scene.troubles, on.scene.vip.stats.totalConnections]).toEqual([[], [], 1]);
    // Nothing is left that it would wait for.
    await soon(on.scene.listener.close({ deadline: Number.POSITIVE_INFINITY }), 'the listener closes');
  });

  test('is no error where the balancer had gone before it was accepted', async () => {
    await using on = await stage();
    const { host, port } = on.scene.place as { readonly host: string; readonly port: number };
    const script = `
      for (let count = 0; count < 20; count++) {
        const socket = require('node:net').connect(${port}, '${host}', () => socket.resetAndDestroy());
      }`;
    // Nobody is accepted while this process waits for another one.
    execFileSync(process.execPath, ['-e', script]);
    using next = await Client.connect(on.scene.place);
    send(next, `${line}hello`);
    await next.receives('hello');
    expect([on.scene.rejected, on.scene.troubles, on.scene.vip.stats.totalConnections]).toEqual([[], [], 1]);
  });

  test('is sent away when its listener closes', async () => {
    await using on = await stage({ acceptProxyProtocol: { trustedCidrs: ['127.0.0.1'], timeout: 1_000_000 } });
    using client = await Client.connect(on.scene.place);
    using other = await Client.connect(on.scene.place);
    send(client, 'PROXY ');
    send(other, `${line}hello`);
    await other.receives('hello');
    const closing = on.scene.listener.close({ deadline: Number.POSITIVE_INFINITY });
    expect(await client.closed()).toBe('ECONNRESET');
    await other.isEchoed('still served');
    other.end();
    await soon(closing, 'the listener closes');
    expect(on.scene.rejected).toEqual([]);
  });

  test('keeps to what was said when it came', async () => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    send(client, 'PROXY ');
    using plain = await Client.connect(on.scene.place);
    send(plain, `${line}x`);
    await plain.receives('x');
    on.scene.vip.update({ acceptProxyProtocol: null });
    using later = await Client.connect(on.scene.place);
    await later.isEchoed('without a header');
    send(client, `${line.slice(6)}hello`);
    await client.receives('hello');
    expect(on.seen[2]).toBe('192.0.2.7 40000');
    on.scene.vip.update(trusting);
    using last = await Client.connect(on.scene.place);
    send(last, 'without a header');
    expect(await last.closed()).toBe('ECONNRESET');
  });

  test('is turned away where the virtual IP is disabled meanwhile', async () => {
    await using on = await stage();
    using client = await Client.connect(on.scene.place);
    send(client, 'PROXY ');
    using plain = await Client.connect(on.scene.place);
    send(plain, `${line}x`);
    await plain.receives('x');
    on.scene.vip.update({ enabled: false });
    send(client, line.slice(6));
    expect(await client.closed()).toBe('ECONNRESET');
    expect(on.scene.rejected).toEqual([{ clientAddress: '192.0.2.7', reason: 'disabled' }]);
  });
});

describe('on a Unix socket', () => {
  test("the balancer in front is trusted where 'unix:' is", async () => {
    await using folder = await ownFolder();
    const address = `unix:${folder.socket('vip')}`;
    await using on = await stage({ address, acceptProxyProtocol: { trustedCidrs: ['unix:'] } });
    using client = await Client.connect(on.scene.place);
    send(client, `${line}hello`);
    await client.receives('hello');
    using local = await Client.connect(on.scene.place);
    send(local, 'PROXY UNKNOWN\r\nhello');
    await local.receives('hello');
    expect(on.seen).toEqual(['192.0.2.7 40000', 'undefined undefined']);
  });

  test('and nowhere else', async () => {
    await using folder = await ownFolder();
    const address = `unix:${folder.socket('vip')}`;
    await using on = await stage({ address, acceptProxyProtocol: { trustedCidrs: ['0.0.0.0/0', '::/0'] } });
    using client = await Client.connect(on.scene.place);
    send(client, `${line}hello`);
    await client.isLetGo();
    expect(on.scene.rejected).toEqual([{ clientAddress: undefined, reason: 'untrusted-proxy' }]);
  });
});

test('a member that does not answer is given up as ever', async () => {
  await using backend = await Backend.start({ does: listensOnly });
  await using scene = await Scene.open(
    { members: [backend.at] },
    { ...trusting, timeouts: { client: 0, member: 100 } },
  );
  using client = await Client.connect(scene.place);
  send(client, `${line}hello`);
  await client.isLetGo();
  await scene.isAtRest();
});

test('what a header says stays when the buffer that it came in is used again', () => {
  const id = Buffer.from('050003 616263'.replace(/ /g, ''), 'hex');
  const addresses = Buffer.from('c0000201c0000202007b162e', 'hex');
  const block = Buffer.concat([addresses, id]);
  const signature = Buffer.from('0d0a0d0a000d0a515549540a2111', 'hex');
  const chunk = Buffer.concat([signature, Buffer.of(0, block.length), block]);
  const progress = new ProxyHeaderReader().push(chunk);
  chunk.fill(0);
  if (progress.state !== 'done') throw new Error(progress.state);
  expect(Buffer.from(progress.header.tlvs.uniqueId ?? []).toString()).toBe('abc');
});
