import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Balancer, type Member, type Strategy } from '../../../src/index.ts';
import { listen } from '../../../src/node/index.ts';
import { Backend } from '../../fixtures/node/backend.ts';
import { ask as askTcp } from '../../fixtures/node/client.ts';
import { ask, HttpClient } from '../../fixtures/node/http/client.ts';
import { HttpFleet, HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { ownHost } from '../../fixtures/node/places.ts';

/** What a strategy got to know of a request. */
interface Known {
  readonly path: string | undefined;
  readonly tenant: string | undefined;
  readonly cookie: string | undefined;
}

/** To the member that the path names, else a header, else a cookie; or to the first that will do. */
function byRequest() {
  const known: Known[] = [];
  const strategy: Strategy = {
    name: 'by-request',
    prepare: (members) => ({
      pick: (request) => {
        const [path, tenant, cookie] = [request.path, request.header('x-tenant'), request.header('cookie')];
        known.push({ path, tenant, cookie });
        const wanted = path?.split('/')[1] || tenant || /(?:^|; )member=(\w+)/.exec(cookie ?? '')?.[1];
        const isGood = (member: Member): boolean => request.accepts(member);
        return members.find((member) => member.id === wanted && isGood(member)) ?? members.find(isGood);
      },
    }),
  };
  return { strategy, known };
}

describe('a strategy over a real HTTP virtual IP', () => {
  test('can go by path, header and cookie of each request', async () => {
    const { strategy, known } = byRequest();
    await using fleet = await HttpFleet.start(4);
    await using scene = await httpScene(fleet, { strategy });
    using client = await HttpClient.connect(scene.place);
    const bodies: string[] = [];
    for (const [target, fields] of [
      ['/m2/img?size=/m3', []],
      ['/', ['X-Tenant:  m3 ']],
      ['/', ['Cookie: a=b', 'Cookie: member=m4']],
      ['/?/m2', ['x-TENANT: m2', 'Cookie: member=m4']],
      ['/', []],
    ] as const) {
      const { body } = await client.ask(target, { fields });
      bodies.push(body);
    }
    expect(bodies).toEqual(['m2', 'm3', 'm4', 'm2', 'm1']);
    expect(known).toEqual([
      { path: '/m2/img', tenant: undefined, cookie: undefined },
      { path: '/', tenant: 'm3', cookie: undefined },
      { path: '/', tenant: undefined, cookie: 'a=b; member=m4' },
      { path: '/', tenant: 'm2', cookie: 'member=m4' },
      { path: '/', tenant: undefined, cookie: undefined },
    ]);
    client.end();
    await scene.isAtRest();
  });

  test('can go by them also at the retry after a connect that failed', async () => {
    const { strategy, known } = byRequest();
    await using fleet = await HttpFleet.start(2);
    await fleet.of('m2').stop();
    await using scene = await httpScene(fleet, { strategy });
    const { body } = await ask(scene.place, '/m2/x?y', { fields: ['X-Tenant: m2'], body: 'once' });
    expect(body).toBe('m1');
    expect(known).toEqual(Array.from({ length: 2 }, () => ({ path: '/m2/x', tenant: 'm2', cookie: undefined })));
    expect(scene.pool.stats).toMatchObject({ connectFailures: 1, retries: 1, requests: 1 });
    await scene.isAtRest();
  });

  test('can go by them also where a member dies before it answers, and the request is sent again', async () => {
    const { strategy, known } = byRequest();
    await using fleet = await HttpFleet.start(2);
    fleet.of('m2').does = (heard) => heard.wire.reset();
    await using scene = await httpScene(fleet, { strategy });
    const { body } = await ask(scene.place, '/', { fields: ['Cookie: member=m2'] });
    expect([body, known.map(({ cookie }) => cookie)]).toEqual(['m1', ['member=m2', 'member=m2']]);
    await scene.isAtRest();
  });

  test('knows requests of several clients at a time each by its own', async () => {
    const { strategy } = byRequest();
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet, { strategy });
    const names = Array.from({ length: 30 }, (_, number) => `m${1 + (number % 3)}`);
    const answers = await Promise.all(names.map((name) => ask(scene.place, '/', { fields: [`X-Tenant: ${name}`] })));
    expect(answers.map(({ body }) => body)).toEqual(names);
    await scene.isAtRest();
  });

  test('knows nothing of it for a TCP client of the same pool', async () => {
    const { strategy, known } = byRequest();
    await using backend = await Backend.start({ name: 'tcp' });
    await using member = await HttpMember.start();
    const address = ownHost();
    const balancer = new Balancer();
    balancer.createPool({ name: 'both', members: [{ ...member.spec }], strategy });
    balancer.createVip({ name: 'http', address, port: 0, protocol: 'http', pool: 'both' });
    balancer.createVip({ name: 'tcp', address, port: 0, pool: 'both' });
    await using listener = await listen(balancer);
    const at = (name: string) => ({ host: address, port: (listener.addresses.get(name) as AddressInfo).port });
    using client = await HttpClient.connect(at('http'));
    await client.ask('/m1', { fields: ['X-Tenant: m1', 'Cookie: member=m1'] });
    balancer.pools.get('both')?.update({ members: [backend.at] });
    expect(await askTcp(at('tcp'))).toBe('tcp');
    client.end();
    expect(known).toEqual([
      { path: '/m1', tenant: 'm1', cookie: 'member=m1' },
      { path: undefined, tenant: undefined, cookie: undefined },
    ]);
  });
});
