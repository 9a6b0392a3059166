import { describe, expect, test } from 'vitest';
import { Balancer } from '../../src/index.ts';
import { listen } from '../../src/node/index.ts';
import { Backend } from '../fixtures/node/backend.ts';
import { ask } from '../fixtures/node/client.ts';
import { ownHost } from '../fixtures/node/places.ts';

const vip = { name: 'v', address: ownHost(), port: 8443 };
const tls = { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' };

describe('a balancer that listens refuses tls of a pool that cannot be used, and goes on as it was, where', () => {
  test.each([
    ['the pool is new, and a virtual IP is to lead there', [{ name: 'new', tls }], [{ ...vip, pool: 'new' }]],
    ['the pool is one of its own', [{ name: 'old', tls }], [{ ...vip, pool: 'old' }]],
    [
      'a virtual IP is to lead some of its clients there',
      [{ name: 'old' }, { name: 'new', tls }],
      [{ ...vip, pool: 'old', sniRouting: [{ serverNames: ['a.example'], pool: 'new' }] }],
    ],
    [
      'the virtual IP is new, too',
      [{ name: 'old' }, { name: 'new', tls }],
      [
        { ...vip, pool: 'old' },
        { ...vip, name: 'w', port: 8444, pool: 'new' },
      ],
    ],
  ])('%s', async (_, pools, vips) => {
    await using member = await Backend.start({ name: 'old' });
    const members = [member.at];
    const balancer = new Balancer({ name: 'b' });
    await balancer.apply({ pools: [{ name: 'old', members }], vips: [{ ...vip, pool: 'old' }] });
    await using _listener = await listen(balancer);
    const wanted = { pools: pools.map((pool) => ({ members, ...pool })), vips };
    await expect(balancer.apply(wanted)).rejects.toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path: 'tls.ca' });
    expect([...balancer.pools.keys()]).toEqual(['old']);
    expect([...balancer.vips.keys()]).toEqual(['v']);
    expect(balancer.pools.get('old')?.tls).toBeUndefined();
    expect(await ask({ host: vip.address, port: vip.port })).toBe('old');
  });
});
