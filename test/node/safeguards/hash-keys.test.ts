import { describe, expect, test } from 'vitest';
import { type HashKey, type HashOptions, maglev, rendezvous, ringHash, type Strategy } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { HttpClient, type RequestOptions, request } from '../../fixtures/node/http/client.ts';
import { bodyOf } from '../../fixtures/node/http/load.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { counted, oneByOne } from '../../fixtures/node/repeat.ts';
import { until } from '../../fixtures/node/until.ts';

type Question = readonly [target: string, options: RequestOptions];

/** What clients are placed by, and how a client of that number asks. */
const keys: readonly { readonly what: string; readonly key: HashKey; ask(client: number, turn: number): Question }[] = [
  {
    what: 'header',
    key: { header: 'X-User' },
    ask: (client, turn) => [`/${turn}`, { fields: [`x-USER: u${client}`, `X-Turn: ${turn}`] }],
  },
  {
    what: 'cookie',
    key: { cookie: 'session' },
    ask: (client, turn) => [`/${turn}`, { fields: [`Cookie: turn=${turn}; session=u${client}; x=session`] }],
  },
  { what: 'path', key: 'path', ask: (client, turn) => [`/u${client}?turn=${turn}`, {}] },
  {
    what: 'function of the request',
    key: (of) => `${of.path?.split('/')[1]} ${of.header('x-user')}`,
    ask: (client, turn) => [`/tenant/${turn}`, { fields: [`X-User: u${client}`] }],
  },
];

const strategies: readonly (readonly [string, (options: HashOptions) => Strategy])[] = [
  ['ring-hash', ringHash],
  ['ring-hash of ketama', (options) => ringHash({ ...options, placement: 'ketama' })],
  ['maglev', maglev],
  ['rendezvous', rendezvous],
];

const clients = 24;

describe.each(strategies)('%s through an HTTP virtual IP', (_, make) => {
  test.each(keys)('sends requests of one $what to one member, however they come', async ({ key, ask }) => {
    await using fleet = await HttpFleet.start(4);
    await using scene = await httpScene(fleet, { strategy: make({ key }) });
    // Each on a connection of its own.
    const homes = await oneByOne(clients, (client) => bodyOf(scene.place, ...ask(client, 0)));
    expect(Object.keys(counted(homes)).length).toBeGreaterThan(1);
    // One after the other on one connection of a client, over connections to the members that are kept.
    using one = await HttpClient.connect(scene.place);
    const again = await oneByOne(clients, async (client) => (await one.ask(...ask(client, 1))).body);
    expect(again).toEqual(homes);
    // All at once on one connection.
    using pipelining = await HttpClient.connect(scene.place);
    const questions = Array.from({ length: clients }, (_, client) => ask(client, 2));
    pipelining.send(questions.map((question) => request(...question)).join(''));
    const pipelined = await oneByOne(clients, async () => (await pipelining.answer()).body);
    expect(pipelined).toEqual(homes);
    one.end();
    pipelining.end();
    await leavesNothing(scene, fleet);
  });

  test('moves only the clients of a member that goes, and they are back when it is', async () => {
    await using fleet = await HttpFleet.start(4);
    await using scene = await httpScene(fleet, { strategy: make({ key: 'path' }) });
    const places = () => oneByOne(clients, (client) => bodyOf(scene.place, `/u${client}`));
    const homes = await places();
    const [gone = ''] = homes;
    scene.member(gone).update({ enabled: false });
    const meanwhile = await places();
    expect(meanwhile).not.toContain(gone);
    // Maglev moves a few others, too.
    const moved = homes.filter((home, client) => home !== gone && home !== meanwhile[client]).length;
    expect(moved).toBeLessThanOrEqual(clients / 4);
    scene.member(gone).update({ enabled: true });
    expect(await places()).toEqual(homes);
    await leavesNothing(scene, fleet);
  });

  test('sends a client on where its member cannot be reached, and back to it afterwards', async () => {
    await using fleet = await HttpFleet.start(3);
    await using scene = await httpScene(fleet, { strategy: make({ key: { header: 'x-user' } }) });
    const fields = { fields: ['X-User: somebody'] };
    const home = await bodyOf(scene.place, '/', fields);
    await fleet.of(home).stop();
    const other = await bodyOf(scene.place, '/', fields);
    expect(other).not.toBe(home);
    expect(await bodyOf(scene.place, '/', fields)).toBe(other);
    await fleet.of(home).start();
    expect(await bodyOf(scene.place, '/', fields)).toBe(home);
    await leavesNothing(scene, fleet);
  });
});

test('requests without what they are to be placed by are spread', async () => {
  await using fleet = await HttpFleet.start(4);
  await using scene = await httpScene(fleet, { strategy: ringHash({ key: { cookie: 'session' } }) });
  using client = await HttpClient.connect(scene.place);
  const served = counted(await oneByOne(60, async () => (await client.ask('/')).body));
  expect(Object.keys(served)).toHaveLength(4);
  client.end();
  await leavesNothing(scene, fleet);
});

test('a key function that throws costs its request a 500, and nobody else anything', async () => {
  await using fleet = await HttpFleet.start(2);
  const key = ({ path }: { readonly path: string | undefined }): string => {
    if (path === '/bad') throw new Error('no key');
    return `${path}`;
  };
  await using scene = await httpScene(fleet, { strategy: ringHash({ key }) });
  using client = await HttpClient.connect(scene.place);
  expect((await client.ask('/good')).status).toBe(200);
  expect((await client.ask('/bad')).status).toBe(500);
  client.end();
  expect((await bodyOf(scene.place, '/good')).startsWith('m')).toBe(true);
  expect(scene.troubles.splice(0)).toMatchObject([{ code: 'ERR_EVENKEEL_STRATEGY', cause: { message: 'no key' } }]);
  await leavesNothing(scene, fleet);
});

test('a bound on the load sends on what is too much for one member', async () => {
  await using fleet = await HttpFleet.start(4, () => {});
  await using scene = await httpScene(fleet, { strategy: ringHash({ key: 'path', maxLoadFactor: 125 }) });
  const asking = await oneByOne(16, () => HttpClient.connect(scene.place));
  for (const client of asking) client.request('/popular');
  const arrived = () => fleet.all.reduce((sum, { requests }) => sum + requests.length, 0);
  await until(() => arrived() === 16, 'all arrive');
  // 125 percent of a quarter of 16 is 5.
  expect(Math.max(...fleet.all.map(({ requests }) => requests.length))).toBeLessThanOrEqual(5);
  for (const member of fleet.all) for (const heard of member.requests) heard.answer();
  for (const client of asking) expect((await client.answer()).status).toBe(200);
  for (const client of asking) client.end();
  await leavesNothing(scene, fleet);
});
