import { describe, expect, test } from 'vitest';
import { acceptProxyProtocolOver, isTrustedProxy } from '../../src/core/accept-proxy-protocol.ts';
import { createVip } from '../../src/core/create-vip.ts';
import { proxiedClient } from '../../src/core/proxied-client.ts';
import type { Client } from '../../src/core/session.ts';
import type { VipSettings } from '../../src/core/vip-spec.ts';
import { localHeader, relayedHeader, unspecifiedHeader } from '../../src/proxy-protocol/proxy-header.ts';
import { noTlvs } from '../../src/proxy-protocol/tlvs.ts';
import { refusalOf } from '../fixtures/core.ts';

const read = acceptProxyProtocolOver(undefined);
const peer: Client = { address: '10.0.0.2', port: 5000, localAddress: '10.0.0.1', localPort: 80 };

function door(settings: VipSettings) {
  const vip = createVip({ address: '127.0.0.1', port: 80, pool: { members: ['10.9.9.9:80'] }, ...settings });
  const told: unknown[] = [];
  vip.on('rejected', (rejection) => told.push(rejection));
  return { vip, told };
}

describe('acceptProxyProtocol', () => {
  test('has defaults for all but whom it trusts', () => {
    expect(read({ trustedCidrs: ['10.0.0.0/8'], timeout: null }, '')).toMatchObject({
      trustedCidrs: { text: ['10.0.0.0/8'] },
      trustsUnix: false,
      timeout: 3000,
      maximumBlock: 4096,
    });
  });

  test.each([
    ['trustedCidrs', undefined, 'an array'],
    ['trustedCidrs', null, 'an array'],
    ['trustedCidrs', '10.0.0.0/8', 'an array'],
    ['timeout', 0, 'milliseconds from 1 to 2147483647'],
    ['maximumBlock', -1, 'an integer from 0 to 65535'],
    ['maximumBlock', 65_536, 'an integer from 0 to 65535'],
    ['from', [], 'no such field; there are trustedCidrs, timeout, maximumBlock'],
  ])('refuses a %s of %j', (field, value, expected) => {
    const spec = { trustedCidrs: [], [field]: value };
    expect(refusalOf(() => read(spec, 'accept'))).toEqual({ path: `accept.${field}`, value, expected });
  });

  test.each(['10.0.0.0/33', 'unix:/run/front', 'host.example', ''])('refuses to trust %j', (entry) => {
    expect(refusalOf(() => read({ trustedCidrs: ['::1', entry] }, 'accept')).path).toBe('accept.trustedCidrs[1]');
  });

  test('keeps in an update what that does not name', () => {
    const { vip } = door({ acceptProxyProtocol: { trustedCidrs: ['10.0.0.0/8', 'unix:'], timeout: 100 } });
    vip.update({ acceptProxyProtocol: { maximumBlock: 0 } as never });
    expect(vip.acceptProxyProtocol).toMatchObject({
      trustedCidrs: { text: ['10.0.0.0/8', 'unix:'] },
      trustsUnix: true,
      timeout: 100,
      maximumBlock: 0,
    });
    vip.update({ acceptProxyProtocol: { trustedCidrs: ['::1'], timeout: null } });
    expect(vip.acceptProxyProtocol).toMatchObject({ trustsUnix: false, timeout: 3000, maximumBlock: 0 });
    vip.update({ acceptProxyProtocol: null });
    expect(vip.acceptProxyProtocol).toBeUndefined();
  });

  test('that is refused changes nothing', () => {
    const { vip } = door({ acceptProxyProtocol: { trustedCidrs: ['::1'] } });
    const before = vip.acceptProxyProtocol;
    const update = { enabled: false, acceptProxyProtocol: { trustedCidrs: ['nonsense'] } };
    expect(refusalOf(() => vip.update(update)).path).toBe('acceptProxyProtocol.trustedCidrs[0]');
    expect([vip.acceptProxyProtocol === before, vip.enabled]).toEqual([true, true]);
  });
});

describe('a balancer in front', () => {
  test.each([
    [['10.0.0.0/8'], '10.1.1.1', true],
    [['10.0.0.0/8'], '::ffff:10.1.1.1', true],
    [['10.0.0.0/8'], '11.1.1.1', false],
    [['::/0'], '10.1.1.1', false],
    [['2001:db8::/32'], '2001:db8::9', true],
    [['0.0.0.0/0', '::/0'], undefined, false],
    [['unix:'], undefined, true],
    [['unix:'], '127.0.0.1', false],
    [[], '127.0.0.1', false],
  ])('of %j: %s is trusted: %s', (trustedCidrs, address, isTrusted) => {
    expect(isTrustedProxy(read({ trustedCidrs }, ''), address)).toBe(isTrusted);
  });

  test('that is not trusted is turned away before it says a word, counted and told', () => {
    const { vip, told } = door({ acceptProxyProtocol: { trustedCidrs: ['192.0.2.0/24'] } });
    expect(vip.refuseProxy(peer)?.reason).toBe('untrusted-proxy');
    expect([vip.stats.rejects, told]).toEqual([1, [{ clientAddress: '10.0.0.2', reason: 'untrusted-proxy' }]]);
  });

  test('is turned away where the virtual IP is disabled', () => {
    const { vip } = door({ enabled: false, acceptProxyProtocol: { trustedCidrs: ['10.0.0.0/8'] } });
    expect(vip.refuseProxy(peer)?.reason).toBe('disabled');
  });

  test('that is trusted may speak, and nothing is counted yet', () => {
    const { vip, told } = door({ acceptProxyProtocol: { trustedCidrs: ['10.0.0.0/8'] } });
    expect(vip.refuseProxy(peer)).toBeUndefined();
    expect([vip.stats.rejects, vip.stats.totalConnections, told]).toEqual([0, 0, []]);
  });

  test('that sent a bad header is told with what was wrong', () => {
    const { vip, told } = door({ acceptProxyProtocol: { trustedCidrs: ['10.0.0.0/8'] } });
    vip.reject(peer, 'bad-proxy-header', 'a wrong checksum');
    expect(told).toEqual([{ clientAddress: '10.0.0.2', reason: 'bad-proxy-header', detail: 'a wrong checksum' }]);
  });
});

describe('the client of a PROXY header', () => {
  const source = { address: '2001:db8::7', port: 40_000 };
  const destination = { address: '2001:db8::1', port: 443 };

  test('has the addresses that the header tells', () => {
    const header = relayedHeader('tcp', source, destination, { ...noTlvs, authority: 'a.example' });
    expect(proxiedClient(peer, header)).toEqual({
      address: '2001:db8::7',
      port: 40_000,
      localAddress: '2001:db8::1',
      localPort: 443,
      proxy: header,
    });
  });

  test.each([localHeader, unspecifiedHeader(noTlvs)])('is the peer itself where that tells none: %j', (header) => {
    expect(proxiedClient(peer, header)).toEqual({ ...peer, proxy: header });
  });

  test('has no address where it came over a Unix socket', () => {
    const ends = { address: 'unix:/run/app', port: 0 };
    const { address, port, localAddress, localPort } = proxiedClient(peer, relayedHeader('tcp', ends, ends));
    expect([address, port, localAddress, localPort]).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('is the one that allowedCidrs judge, strategies see and the session has', () => {
    const { vip, told } = door({ allowedCidrs: ['2001:db8::/32'] });
    const client = proxiedClient(peer, relayedHeader('tcp', source, destination));
    const session = vip.admit(client, () => {});
    expect(session.refused || [session.clientAddress, session.clientPort, session.client.proxy?.family]).toEqual([
      '2001:db8::7',
      40_000,
      'tcp6',
    ]);
    vip.admit(peer, () => {});
    expect(told).toEqual([{ clientAddress: '10.0.0.2', reason: 'not-allowed' }]);
  });
});
