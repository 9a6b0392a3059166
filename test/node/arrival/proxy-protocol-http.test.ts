import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { VipSettings } from '../../../src/index.ts';
import { certificate } from '../../fixtures/node/certificate.ts';
import { HttpClient, request } from '../../fixtures/node/http/client.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { soon, until } from '../../fixtures/node/until.ts';
import { ascii, concat, tlv, version2 } from '../../proxy-protocol/wire.ts';

const ends = 'c0000207 c6336409 9c40 01bb';
const line = 'PROXY TCP4 192.0.2.7 198.51.100.9 40000 443\r\n';
const settings: VipSettings = {
  acceptProxyProtocol: { trustedCidrs: ['127.0.0.1'] },
  insertHeaders: {
    'X-Forwarded-For': true,
    'X-Forwarded-Port': true,
    'X-Forwarded-Proto': true,
    Forwarded: true,
  },
};
const inserted = ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto', 'Forwarded'];

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

async function stage(more: VipSettings = {}) {
  const member = await HttpMember.start();
  const scene = await httpScene([member], {}, { ...settings, ...more });
  return {
    member,
    scene,
    /** What the member hears of a client whose connection begins with this. */
    async told(header: string, fields: readonly string[] = []) {
      using client = await HttpClient.connect(scene.place);
      client.send(header);
      expect((await client.ask('/', { fields })).status).toBe(200);
      const message = member.requests.at(-1)?.message;
      return { values: inserted.map((name) => message?.field(name)), port: client.socket.localPort, message };
    },
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await member[Symbol.asyncDispose]();
    },
  };
}

describe('members of an HTTP virtual IP are told', () => {
  test.each([line, latin1(version2('2111', ends))])(
    'whose the connection is, and where it was opened to: %j',
    async (header) => {
      await using on = await stage();
      const { values } = await on.told(header, [
        'X-Forwarded-For: 10.9.9.9',
        'X-Forwarded-Port: 1',
        'Forwarded: for=_x',
      ]);
      expect(values).toEqual(['192.0.2.7', '443', 'http', 'for=192.0.2.7;proto=http']);
    },
  );

  test('of a client with IPv6', async () => {
    await using on = await stage();
    const { values } = await on.told('PROXY TCP6 2001:db8::7 2001:db8::1 40000 8443\r\n');
    expect(values).toEqual(['2001:db8::7', '8443', 'http', 'for="[2001:db8::7]";proto=http']);
  });

  test('of the peer itself where the header names nobody', async () => {
    await using on = await stage();
    const { address } = on.scene.listener;
    const port = typeof address === 'object' ? String(address?.port) : '';
    for (const header of ['PROXY UNKNOWN\r\n', latin1(version2('2000'))]) {
      const { values } = await on.told(header);
      expect(values).toEqual(['127.0.0.1', port, 'http', 'for=127.0.0.1;proto=http']);
    }
  });

  test('that the client speaks TLS where the balancer in front took that off', async () => {
    await using on = await stage();
    const overTls = version2('2111', ends, tlv(0x20, concat(Uint8Array.of(1, 0, 0, 0, 0), tlv(0x21, 'TLSv1.3'))));
    expect((await on.told(latin1(overTls))).values).toEqual(['192.0.2.7', '443', 'https', 'for=192.0.2.7;proto=https']);
    const plain = version2('2111', ends, tlv(0x20, Uint8Array.of(0, 0, 0, 0, 0)));
    expect((await on.told(latin1(plain))).values[2]).toBe('http');
  });

  test('what a client says of others, where trustedCidrs have the client, not the balancer in front', async () => {
    await using on = await stage({ trustedCidrs: ['192.0.2.0/24'] });
    const fields = ['X-Forwarded-For: 10.9.9.9'];
    expect((await on.told(line, fields)).values[0]).toBe('10.9.9.9, 192.0.2.7');
    expect((await on.told('PROXY UNKNOWN\r\n', fields)).values[0]).toBe('127.0.0.1');
  });

  test('nothing of a client of a Unix socket', async () => {
    await using on = await stage();
    const path = concat(ascii('/run/front'), new Uint8Array(98));
    const { values } = await on.told(latin1(version2('2131', path, path)));
    expect(values).toEqual([undefined, undefined, 'http', 'for=unknown;proto=http']);
  });

  test('the place that the client connected to, for a request of HTTP/1.0 without a host', async () => {
    await using on = await stage();
    using client = await HttpClient.connect(on.scene.place);
    client.send(`${line}GET / HTTP/1.0\r\n\r\n`);
    await client.answer();
    expect(on.member.requests[0]?.message.field('Host')).toBe('198.51.100.9:443');
  });
});

describe('an HTTP client behind a balancer in front', () => {
  test('has all its requests on the connection told so', async () => {
    await using on = await stage();
    using client = await HttpClient.connect(on.scene.place);
    client.send(`${line}${request('/1')}${request('/2')}`);
    await client.answer();
    await client.answer();
    await client.ask('/3');
    expect(on.member.requests.map(({ message }) => message.field('X-Forwarded-For'))).toEqual(
      Array(3).fill('192.0.2.7'),
    );
    client.end();
    await client.closed();
    await on.scene.isAtRest();
  });

  test('that speaks TLS behind its header is told so, and served', async () => {
    await using on = await stage({ tls: { certificates: [certificate] } });
    const { host, port } = on.scene.place as { readonly host: string; readonly port: number };
    const socket = connect(port, host);
    socket.write(line);
    const tls = connectTls({ socket, servername: 'evenkeel.test', ca: certificate.cert });
    tls.write(request('/', { fields: ['Connection: close'] }));
    await soon(text(tls), 'an answer');
    const { message } = on.member.requests[0] ?? {};
    expect(inserted.map((name) => message?.field(name))).toEqual([
      '192.0.2.7',
      '443',
      'https',
      'for=192.0.2.7;proto=https',
    ]);
    await on.scene.isAtRest();
  });

  test('that ends behind its header while it waits for its turn gives up its place, over TLS too', async () => {
    const tls = { certificates: [certificate] };
    await using on = await stage({ tls, connectionLimit: 1, timeouts: { handshake: 0 } });
    using first = await HttpClient.connect(on.scene.place);
    first.send(line);
    await until(() => on.scene.vip.stats.activeConnections === 1, 'the first is served');
    using second = await HttpClient.connect(on.scene.place);
    second.socket.end(line);
    await second.ended();
    await until(() => on.scene.vip.stats.waitingConnections === 0, 'the second has left');
    expect(on.scene.vip.stats).toMatchObject({ activeConnections: 1, totalConnections: 1 });
    first.reset();
    await on.scene.isAtRest();
  });

  test('is served when all comes byte by byte', async () => {
    await using on = await stage();
    using client = await HttpClient.connect(on.scene.place);
    for (const byte of `${latin1(version2('2111', ends))}${request('/')}`) {
      client.send(byte);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect((await client.answer()).status).toBe(200);
  });

  test.each(['end', 'reset'] as const)('is no error where it only looked (LOCAL, then %s)', async (how) => {
    await using on = await stage();
    using client = await HttpClient.connect(on.scene.place);
    client.send(latin1(version2('2000')));
    if (how === 'reset') {
      await new Promise((resolve) => setTimeout(resolve, 20));
      client.reset();
    } else {
      client.end();
      await client.closed();
    }
    await on.scene.isAtRest();
    const { stats } = on.scene.vip;
    expect([on.scene.rejected, on.scene.troubles, client.answers.length]).toEqual([[], [], 0]);
    expect(stats).toMatchObject({ requests: 0, requestErrors: 0, abortedRequests: 0, rejects: 0 });
  });

  test('that ended while it waited for its turn is let go without an answer', async () => {
    await using on = await stage({ connectionLimit: 1, timeouts: { request: 0, keepAlive: 0 } });
    using first = await HttpClient.connect(on.scene.place);
    first.send(line);
    await first.ask('/');
    using second = await HttpClient.connect(on.scene.place);
    second.socket.end(line);
    await new Promise((resolve) => setTimeout(resolve, 50));
    first.end();
    await second.ended();
    expect([second.answers.length, second.error]).toEqual([0, undefined]);
    await on.scene.isAtRest();
  });

  test('that sends no header gets no answer', async () => {
    await using on = await stage();
    using client = await HttpClient.connect(on.scene.place);
    client.send(request('/'));
    await client.ended();
    expect([client.answers.length, client.error?.code]).toEqual([0, 'ECONNRESET']);
    expect(on.scene.rejected).toMatchObject([{ reason: 'bad-proxy-header' }]);
  });
});
