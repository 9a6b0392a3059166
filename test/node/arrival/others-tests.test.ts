import { describe, expect, test } from 'vitest';
import { Backend, echoes, type Service } from '../../fixtures/node/backend.ts';
import { Client } from '../../fixtures/node/client.ts';
import { HttpClient, request } from '../../fixtures/node/http/client.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { hex } from '../../proxy-protocol/wire.ts';

const insertHeaders = { 'X-Forwarded-For': true, 'X-Forwarded-Port': true } as const;

/** An HTTP virtual IP behind a balancer in front, and whom its member hears of. */
async function told(acceptProxyProtocol: { readonly trustedCidrs: readonly string[] } | null, header: string) {
  await using member = await HttpMember.start();
  await using scene = await httpScene([member], {}, { acceptProxyProtocol, insertHeaders });
  const client = await HttpClient.connect(scene.place).catch(() => undefined);
  if (client === undefined) return 'closed';
  using _client = client;
  client.send(`${header}${request('/')}`);
  await client.answer().catch(() => {});
  const message = member.requests[0]?.message;
  if (message === undefined) return 'closed';
  return `${message.field('X-Forwarded-For')} ${message.field('X-Forwarded-Port') === String(portOf(scene)) ? 'own' : message.field('X-Forwarded-Port')}`;
}

function portOf({ place }: Scene): number {
  return 'path' in place ? 0 : place.port;
}

describe("HAProxy's expect_proxy.vtc", () => {
  const loopback = { trustedCidrs: ['127.0.0.0/8'] };
  test.each([
    [
      'c1: the announced addresses replace the real ones',
      loopback,
      'PROXY TCP4 192.168.0.1 10.0.0.2 1234 81\r\n',
      '192.168.0.1 81',
    ],
    ['c2: a request without a header is rejected', loopback, '', 'closed'],
    ['c3: a malformed header as well', loopback, 'PROXY TCP4 not an address at all\r\n', 'closed'],
    ['c4: where no header is expected the real addresses count', null, '', '127.0.0.1 own'],
  ])('%s', async (_, accept, header, expected) => {
    expect(await told(accept, header)).toBe(expected);
  });
});

describe("nginx's proxy_protocol.t and stream_realip.t", () => {
  const trusting = { trustedCidrs: ['127.0.0.1'] };
  test.each([
    ['tcp4', trusting, 'PROXY TCP4 192.0.2.1 192.0.2.2 1234 5678\r\n', '192.0.2.1 5678'],
    ['tcp6', trusting, 'PROXY TCP6 2001:Db8::1 2001:Db8::2 1234 5678\r\n', '2001:db8::1 5678'],
    ['unknown request 1', trusting, 'PROXY UNKNOWN\r\n', '127.0.0.1 own'],
    ['unknown request 2', trusting, 'PROXY UNKNOWN 1 2 3 4 5 6\r\n', '127.0.0.1 own'],
    ['server unknown', trusting, 'PROXY UNKNOWN TCP4 192.0.2.1 192.0.2.2 1234 5678\r\n', '127.0.0.1 own'],
    // nginx serves it as the peer's own; here nobody may speak who is not trusted.
    [
      'realip, no match',
      { trustedCidrs: ['::1', '127.0.0.2'] },
      'PROXY TCP4 192.0.2.1 192.0.2.2 1234 5678\r\n',
      'closed',
    ],
    ['realip unix, no match', { trustedCidrs: ['unix:'] }, 'PROXY TCP4 192.0.2.1 192.0.2.2 1234 5678\r\n', 'closed'],
  ])('%s', async (_, accept, header, expected) => {
    expect(await told(accept, header)).toBe(expected);
  });

  test('server payload', async () => {
    await using backend = await Backend.start({ does: echoes });
    await using scene = await Scene.open({ members: [backend.at] }, { acceptProxyProtocol: trusting });
    using client = await Client.connect(scene.place);
    client.end('PROXY TCP4 192.0.2.1 192.0.2.2 1234 5678\r\nclose');
    await client.ended();
    expect(client.received).toBe('close');
  });
});

describe("nginx's stream_ssl_preread.t", () => {
  /** The name of the pool that gets a client that sends this; what was wrong instead. */
  async function led(bytes: Uint8Array): Promise<string | undefined> {
    const says: Service = (socket, { name }) => void socket.once('data', () => socket.end(name));
    await using foo = await Backend.start({ name: 'foo', does: says });
    await using foof = await Backend.start({ name: 'foof', does: says });
    await using other = await Backend.start({ name: 'other', does: says });
    await using scene = await Scene.open(
      { members: [other.at] },
      {
        sniRouting: [
          { serverNames: ['foo'], pool: { members: [foo.at] } },
          { serverNames: ['foof'], pool: { members: [foof.at] } },
        ],
      },
    );
    using client = await Client.connect(scene.place);
    client.socket.write(bytes);
    await client.isLetGo();
    return client.received === '' ? scene.rejected[0]?.detail : client.received;
  }

  test('not a handshake', async () => {
    expect(await led(Buffer.from('x'.repeat(1000)))).toBe('no TLS record');
  });

  // nginx passes it on as one without a name; no server could make anything of it.
  test('short client hello', async () => {
    const bytes = `16030100 38010000 330303eb 6357cdba a6b8d853 f1f6ac0f df03178c 0ae41824 e7643682 3c1b273f bfde4b00
      00000000 0c 00000008 00060000 03666f6f`;
    expect(await led(hex(bytes))).toBe('a record with bytes behind its ClientHello');
  });

  // Without the cipher suite that it has here it would be no hello.
  test('older version in ssl record', async () => {
    const bytes = `16030000 3b010000 370303eb 6357cdba a6b8d853 f1f6ac0f df03178c 0ae41824 e7643682 3c1b273f bfde4b00
      0002 1301 0100 000c 00000008 00060000 03666f6f`;
    expect(await led(hex(bytes))).toBe('foo');
  });

  test('handshake fragment split on SNI', async () => {
    const bytes = `16030100 3b010000 380303ac 8c8678a0 aa1e7eed 3644eed6 c3bd2c69 7bc7deda 249db0e3 0c339eba a80b7600
      00020000 0100000d 00000009 00070000 04666f6f 16030100 0166`;
    expect(await led(hex(bytes))).toBe('foof');
  });
});
