import { describe, expect, test } from 'vitest';
import { Balancer, type TlsSpec } from '../../../src/index.ts';
import { listen } from '../../../src/node/index.ts';
import { ask as askPlainly, tally } from '../../fixtures/node/http/client.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import type { Place } from '../../fixtures/node/places.ts';
import { Authority } from '../../fixtures/node/tls/authority.ts';
import { TlsClient } from '../../fixtures/node/tls/client.ts';

const servers = new Authority('servers');

function certificate(name: string) {
  const { cert, key } = servers.issue({ name, serverNames: [name] });
  return { cert, key };
}

const first = certificate('one.example');
const second = certificate('two.example');
const third = certificate('three.example');

/** Virtual IPs with a pool of two members that they share. */
async function balanced(vips: Readonly<Record<string, TlsSpec | null>>) {
  const fleet = await HttpFleet.start(2);
  const balancer = new Balancer();
  const listener = await listen(balancer);
  const specs = Object.entries(vips).map(([name, tls]) => {
    return { name, address: '127.0.0.1', port: 0, protocol: 'http' as const, pool: 'pool', tls };
  });
  await balancer.apply({ pools: [{ name: 'pool', members: fleet.members }], vips: specs });
  return {
    balancer,
    at(name: string): Place {
      const address = listener.addresses.get(name);
      if (address === null || typeof address !== 'object') throw new Error(`no virtual IP ${name}`);
      return { host: address.address, port: address.port };
    },
    async [Symbol.asyncDispose]() {
      await listener.close({ deadline: 0 });
      await fleet[Symbol.asyncDispose]();
    },
  };
}

const request = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

/** One request: who answered, and what was shown and agreed upon. Rejects where the client is let go. */
async function visit(place: Place, options = {}): Promise<{ body: string; shown: string; alpn: unknown }> {
  using client = await TlsClient.connect(place, options);
  client.send(request);
  await client.receives('\r\n\r\nm');
  await client.ended();
  return { body: client.received.slice(-2), shown: client.shown, alpn: client.socket.alpnProtocol };
}

async function tallyTls(place: Place, options = {}): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let turn = 0; turn < 20; turn++) {
    const { body } = await visit(place, options);
    counts[body] = (counts[body] ?? 0) + 1;
  }
  return counts;
}

const equal = { m1: 10, m2: 10 };

/** The scenarios of Octavia's Tempest plugin (`octavia_tempest_plugin/tests/barbican_scenario/v2/test_tls_barbican.py`). */
describe('as in Octavia', () => {
  test('basic TLS traffic: the certificate, and members in equal shares', async () => {
    await using scene = await balanced({ web: { certificates: first } });
    expect((await visit(scene.at('web'))).shown).toBe('one.example');
    await visit(scene.at('web'));
    expect(await tallyTls(scene.at('web'))).toEqual(equal);
  });

  test('mixed HTTP and HTTPS traffic shares a pool', async () => {
    await using scene = await balanced({ tls: { certificates: first }, plain: null });
    expect(await tallyTls(scene.at('tls'))).toEqual(equal);
    expect(await tally(() => askPlainly(scene.at('plain')), 20)).toEqual(equal);
  });

  test('SNI: the certificate for the name, the default for no name and for a bogus one', async () => {
    await using scene = await balanced({ web: { certificates: [first, second, third] } });
    const shown = async (servername?: string) => (await visit(scene.at('web'), servername && { servername })).shown;
    expect(await shown()).toBe('one.example');
    expect(await shown('bogus.example')).toBe('one.example');
    expect(await shown('two.example')).toBe('two.example');
    expect(await shown('three.example')).toBe('three.example');
  });

  test('SNI with several listeners: certificates stay on their own', async () => {
    await using scene = await balanced({ a: { certificates: [first, second] }, b: { certificates: [third] } });
    const shown = async (vip: string, servername: string) => (await visit(scene.at(vip), { servername })).shown;
    expect(await shown('a', 'two.example')).toBe('two.example');
    expect(await shown('b', 'two.example')).toBe('three.example');
    expect(await shown('a', 'three.example')).toBe('one.example');
  });

  const clients = new Authority('clients');
  const others = new Authority('others');
  const [good, revoked] = [clients.issue({ name: 'good' }), clients.issue({ name: 'revoked' })];
  const other = others.issue({ name: 'other' });
  const crl = clients.revocations([revoked]);
  const isLetIn = (place: Place, options = {}): Promise<boolean> => {
    return visit(place, options).then(
      () => true,
      () => false,
    );
  };

  test('client authentication, mandatory', async () => {
    const tls: TlsSpec = { certificates: first, clientAuthentication: 'mandatory', ca: clients.cert, crl };
    await using scene = await balanced({ web: tls });
    expect(await isLetIn(scene.at('web'))).toBe(false);
    expect(await isLetIn(scene.at('web'), { cert: revoked.cert, key: revoked.key })).toBe(false);
    expect(await isLetIn(scene.at('web'), { cert: good.cert, key: good.key })).toBe(true);
  });

  test('client authentication, optional', async () => {
    const tls: TlsSpec = { certificates: first, clientAuthentication: 'optional', ca: clients.cert, crl };
    await using scene = await balanced({ web: tls });
    expect(await isLetIn(scene.at('web'))).toBe(true);
    expect(await isLetIn(scene.at('web'), { cert: revoked.cert, key: revoked.key })).toBe(false);
    expect(await isLetIn(scene.at('web'), { cert: good.cert, key: good.key })).toBe(true);
  });

  test('client authentication with several listeners: authorities and revocations are not crossed', async () => {
    const mandatory = { certificates: first, clientAuthentication: 'mandatory' } as const;
    await using scene = await balanced({
      a: { ...mandatory, ca: clients.cert, crl },
      b: { ...mandatory, ca: others.cert, crl: others.revocations([]) },
      c: { ...mandatory, ca: clients.cert },
    });
    const letIn = async ({ cert, key }: { cert: string; key: string }) => {
      const vips: string[] = [];
      for (const vip of ['a', 'b', 'c']) if (await isLetIn(scene.at(vip), { cert, key })) vips.push(vip);
      return vips.join();
    };
    expect(await letIn(good)).toBe('a,c');
    expect(await letIn(other)).toBe('b');
    expect(await letIn(revoked)).toBe('c');
  });

  test('ALPN: what both have, the best that both have, and a refusal where there is none (which differs)', async () => {
    await using scene = await balanced({ web: { certificates: first, alpn: ['http/1.0', 'http/1.1'] } });
    const alpnOf = async (...offer: string[]) => (await visit(scene.at('web'), { ALPNProtocols: offer })).alpn;
    expect(await alpnOf('http/1.1')).toBe('http/1.1');
    expect(await alpnOf('bogus', 'h2', 'http/1.1')).toBe('http/1.1');
    await expect(alpnOf('h2')).rejects.toThrow(/no.application.protocol/i);
  });

  test('versions and ciphers are those of the listener', async () => {
    await using scene = await balanced({ web: { certificates: first, maxVersion: 'TLSv1.2' } });
    using client = await TlsClient.connect(scene.at('web'));
    expect(client.socket.getProtocol()).toBe('TLSv1.2');
    scene.balancer.vips.get('web')?.update({ tls: { maxVersion: null, minVersion: 'TLSv1.3' } });
    await expect(visit(scene.at('web'), { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/i);
  });
});
