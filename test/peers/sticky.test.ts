import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpCookiePersistenceSpec } from '../../src/index.ts';
import { cookiesOf } from '../fixtures/node/http/browser.ts';
import { ask, type RequestOptions } from '../fixtures/node/http/client.ts';
import { HAProxy } from '../fixtures/node/http/haproxy.ts';
import { HttpFleet } from '../fixtures/node/http/member.ts';
import { httpScene } from '../fixtures/node/http/scene.ts';
import { ownFolder, type Place } from '../fixtures/node/places.ts';
import { run } from '../fixtures/node/program.ts';
import type { Scene } from '../fixtures/node/scene.ts';

describe('curl with a cookie jar', () => {
  interface Curl extends AsyncDisposable {
    readonly scene: Scene;
    readonly fleet: HttpFleet;
    ask(path?: string, ...args: string[]): Promise<string>;
    jar(): Promise<string>;
  }

  async function curlTo(persistence: HttpCookiePersistenceSpec): Promise<Curl> {
    const folder = await ownFolder();
    const jar = join(folder.path, 'jar');
    const fleet = await HttpFleet.start(3);
    const scene = await httpScene(fleet, { persistence: { type: 'http-cookie', ...persistence } });
    const ask = async (path = '/', ...args: string[]): Promise<string> => {
      const options = ['--silent', '--show-error', '--max-time', '30', '--cookie', jar, '--cookie-jar', jar];
      // By a name, since curl takes 127.0.0.1 for as safe as TLS.
      const { port } = scene.place as { port: number };
      const where = ['--connect-to', `a.example:80:127.0.0.1:${port}`, `http://a.example${path}`];
      const { code, output, errors } = await run('curl', [...options, ...args, ...where]);
      if (code !== 0) throw new Error(`curl ended with ${code}: ${errors}`);
      return output;
    };
    return {
      scene,
      fleet,
      ask,
      jar: () => readFile(jar, 'latin1'),
      async [Symbol.asyncDispose]() {
        await scene[Symbol.asyncDispose]();
        await fleet[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  test('stays where it is, from one run to the next', async () => {
    await using it = await curlTo({});
    expect([await it.ask(), await it.ask(), await it.ask('/deep/er')]).toEqual(['m1', 'm1', 'm1']);
    expect(await it.jar()).toMatch(/^#HttpOnly_a\.example\tFALSE\t\/\tFALSE\t0\tSRV\t[\w-]{22}$/m);
    expect(it.fleet.of('m1').requests.map(({ message }) => message.field('Cookie'))).toEqual(Array(3).fill(undefined));
    it.scene.member('m1').update({ enabled: false });
    const home = await it.ask();
    expect([home === 'm1', await it.ask(), await it.ask()]).toEqual([false, home, home]);
    await it.scene.isAtRest();
  });

  test('sends it to its path only', async () => {
    await using it = await curlTo({ path: '/app' });
    const homes: string[] = [];
    for (const path of ['/', '/app', '/', '/app/x', '/apple', '/app?q']) homes.push(await it.ask(path));
    expect(homes).toEqual(['m1', 'm2', 'm3', 'm2', 'm1', 'm2']);
    await it.scene.isAtRest();
  });

  test('keeps it for as long as it may, and no longer than it runs where nobody says how long', async () => {
    await using it = await curlTo({ maxAge: 3_600_000, httpOnly: false });
    await it.ask();
    const [, seconds] = /\t(\d+)\tSRV\t/.exec(await it.jar()) ?? [];
    expect(Number(seconds) * 1000 - Date.now()).toBeGreaterThan(3_000_000);
    expect(Number(seconds) * 1000 - Date.now()).toBeLessThan(3_700_000);
    // `--junk-session-cookies`: as a browser that was closed.
    expect(await it.ask('/', '--junk-session-cookies')).toBe('m1');
    await it.scene.isAtRest();
    await using session = await curlTo({});
    await session.ask();
    expect(await session.ask('/', '--junk-session-cookies')).toBe('m2');
    await session.scene.isAtRest();
  });

  test('keeps what may only come over TLS to itself', async () => {
    await using it = await curlTo({ secure: true, sameSite: 'none', httpOnly: false });
    expect([await it.ask(), await it.ask(), await it.ask()]).toEqual(['m1', 'm2', 'm3']);
    await it.scene.isAtRest();
  });

  test('takes it along through a redirect', async () => {
    await using it = await curlTo({});
    for (const member of it.fleet.all) {
      member.does = (heard) => {
        if (heard.target === '/start') heard.answer('', { status: 302, fields: ['Location: /end'] });
        else heard.answer();
      };
    }
    expect(await it.ask('/start', '--location')).toBe('m1');
    await it.scene.isAtRest();
  });
});

/** What a client and its member get to see. */
interface Seen {
  readonly status: number;
  /** Where there are several that it may be, only that it is one of them. */
  readonly member: string;
  readonly cookies: readonly string[];
  readonly cacheControl: string | undefined;
  readonly memberSaw: string | undefined;
}

/**
 * `cookie SRV insert indirect nocache`, as Octavia has it, and `http-cookie` with the member's id as its value, asked the same. m3
 * is disabled, m4 has weight 0; of the others whoever comes next.
 */
describe('HAProxy and a virtual IP tell clients and members the same', () => {
  let fleet: HttpFleet;
  let scene: Scene;
  let haproxy: HAProxy;

  beforeAll(async () => {
    fleet = await HttpFleet.start(4, (heard) => {
      const fields = (heard.message.field('X-Answer') ?? '').split('|').filter((line) => line !== '');
      heard.answer(heard.wire.member.name, { fields });
    });
    const states: Record<string, object> = { m3: { enabled: false }, m4: { weight: 0 } };
    const members = fleet.members.map((member) => ({ ...member, ...states[member.id] }));
    scene = await httpScene(fleet, { members, persistence: { type: 'http-cookie', value: 'id', httpOnly: false } });
    const options: Record<string, string> = { m3: 'disabled', m4: 'weight 0' };
    const servers = fleet.members.map(({ id, address, port }) => {
      return `  server ${id} ${address}:${port} cookie ${id} ${options[id] ?? ''}`;
    });
    haproxy = await HAProxy.start(`  cookie SRV insert indirect nocache\n${servers.join('\n')}`);
  });

  afterAll(async () => {
    await haproxy[Symbol.asyncDispose]();
    await scene[Symbol.asyncDispose]();
    await fleet[Symbol.asyncDispose]();
  });

  async function seenAt(place: Place, options: RequestOptions): Promise<Seen> {
    const before = new Map(fleet.all.map((member) => [member, member.requests.length]));
    const answer = await ask(place, '/', options);
    const asked = fleet.all.filter((member) => member.requests.length > (before.get(member) ?? 0));
    expect(asked.map(({ name }) => name)).toEqual([answer.body]);
    const home = ['m1', 'm2'].includes(answer.body) && !isFor(options, answer.body) ? 'm1 or m2' : answer.body;
    return {
      status: answer.status,
      member: home,
      cookies: cookiesOf(answer).map((cookie) => told(cookie, answer.body)),
      cacheControl: answer.field('Cache-Control'),
      memberSaw: asked[0]?.requests.at(-1)?.message.field('Cookie'),
    };
  }

  const isFor = ({ fields = [] }: RequestOptions, id: string): boolean => fields.join().includes(`SRV=${id}`);
  const told = (cookie: string, home: string): string =>
    cookie.replace(`SRV=${home};`, 'SRV=whoever it is;').replace('; Path=', '; path=');

  const cached = 'X-Answer: Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT';
  const given = { cookies: ['SRV=whoever it is; path=/'] };

  test.each<[string, string[], Partial<Seen>]>([
    ['without a cookie', [], { member: 'm1 or m2', ...given }],
    ['with its cookie', ['Cookie: SRV=m2'], { member: 'm2', cookies: [], memberSaw: undefined }],
    ['with others around it', ['Cookie: a=b; SRV=m1; c=d'], { member: 'm1', cookies: [], memberSaw: 'a=b; c=d' }],
    ['with others in front', ['Cookie: a=b; SRV=m1'], { member: 'm1', memberSaw: 'a=b' }],
    ['with others behind', ['Cookie: SRV=m1; a=b'], { member: 'm1', memberSaw: 'a=b' }],
    ['with others alone', ['Cookie: a=b; c=d'], { member: 'm1 or m2', ...given, memberSaw: 'a=b; c=d' }],
    ['of a member that is not there', ['Cookie: SRV=s2; a=b'], { member: 'm1 or m2', ...given, memberSaw: 'a=b' }],
    ['of nobody', ['Cookie: SRV='], { member: 'm1 or m2', ...given, memberSaw: undefined }],
    ['of a member that is disabled', ['Cookie: SRV=m3'], { member: 'm1 or m2', ...given, memberSaw: undefined }],
    ['of a member of weight 0', ['Cookie: SRV=m4; a=b'], { member: 'm4', cookies: [], memberSaw: 'a=b' }],
    ['of a name in other letters', ['Cookie: srv=m2'], { member: 'm1 or m2', ...given, memberSaw: 'srv=m2' }],
    ['of a longer name', ['Cookie: SRVX=m2; XSRV=m2'], { ...given, memberSaw: 'SRVX=m2; XSRV=m2' }],
    ['in two fields', ['Cookie: a=b', 'Cookie: SRV=m2'], { member: 'm2', cookies: [], memberSaw: 'a=b' }],
    ['and the member sets one of that name', ['Cookie: SRV=m2', 'X-Answer: Set-Cookie: SRV=x'], { cookies: [] }],
    ['new, and the member sets one of that name', ['X-Answer: Set-Cookie: SRV=x'], given],
    [
      'new, and the member sets others',
      ['X-Answer: Set-Cookie: a=b|Set-Cookie: c=d; Path=/x'],
      { cookies: ['a=b', 'c=d; path=/x', 'SRV=whoever it is; path=/'] },
    ],
    ['and the answer can be cached', [cached, 'Cookie: SRV=m1'], { cookies: [], cacheControl: undefined }],
    ['new, and the answer can be cached', [cached], { ...given, cacheControl: 'private' }],
    ['new, and nobody may cache it', [`${cached}|Cache-Control: no-store`], { ...given, cacheControl: 'no-store' }],
    ['new, and it is private', [`${cached}|Cache-Control: private`], { ...given, cacheControl: 'private' }],
  ])('a client that comes %s', async (_what, fields, expected) => {
    const ours = await seenAt(scene.place, { fields });
    expect(ours).toMatchObject({ status: 200, ...expected });
    expect(ours).toEqual(await seenAt(haproxy.place, { fields }));
  });

  test('and several fields are one list, in front of a virtual IP, too', async () => {
    const { host, port } = scene.place as { host: string; port: number };
    await using front = await HAProxy.start(`  server evenkeel ${host}:${port}`);
    const through = await seenAt(front.place, { fields: ['Cookie: a=b; SRV=m2', 'Cookie: SRV=m1; c=d'] });
    expect(through).toMatchObject({ member: 'm2', cookies: [], memberSaw: 'a=b, c=d' });
  });
});
