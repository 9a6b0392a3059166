import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import {
  type HttpCookiePersistenceSpec,
  httpCookiePersistence,
} from '../../src/persistence/http-cookie-persistence.ts';
import { equal, makePool, memberOf, refusalOf, spec, thrownBy } from '../fixtures/core.ts';
import { asking, serve, started } from './stage.ts';

const secret = 'sixteen or more characters';

function stageOf(settings: HttpCookiePersistenceSpec = {}, members = equal(3)) {
  const stage = { clock: new VirtualClock(), random: seededRandom(1) };
  const pool = makePool({ members }, stage);
  const table = started(httpCookiePersistence(settings), stage, pool);
  const { http } = table;
  if (http === undefined) throw new Error('an http-cookie persistence has to do with HTTP');
  /** The member of a request with these cookies, and the `Set-Cookie` that its answer gets. */
  const visit = async (cookies?: string): Promise<[id: string, setCookie: string | undefined]> => {
    const { member, isKept } = await serve(pool, table, asking(cookies), stage);
    return [member.id, isKept ? undefined : http.cookieFor(member, '/')];
  };
  const cookieOf = (id: string): string => pairOf(http.cookieFor(memberOf(pool, id), '/'));
  return { pool, table, http, visit, cookieOf };
}

function pairOf(setCookie: string | undefined): string {
  return setCookie?.split(';')[0] ?? '';
}

describe('persistence by a cookie of our own', () => {
  test('sets it for a client that has none, and not for one that has it', async () => {
    const { visit } = stageOf();
    const [first, cookie] = await visit();
    expect([first, cookie]).toEqual(['m0', expect.stringMatching(/^SRV=[\w-]{22}; Path=\/; HttpOnly$/)]);
    expect(await visit(pairOf(cookie))).toEqual(['m0', undefined]);
    expect(await visit(`a=1; ${pairOf(cookie)}; b=2`)).toEqual(['m0', undefined]);
    expect((await visit())[0]).toBe('m1');
  });

  // HAProxy, reg-tests/http-cookies/cookie_insert_indirect.vtc: the client brings a wrong cookie.
  test('replaces one that names nobody, of which the member sees nothing', async () => {
    const { visit, http } = stageOf({ name: 'SRVID', value: 'id' }, [spec('server-one')]);
    expect(http.forwarded('SRVID=s2')).toBe('');
    const [id, cookie] = await visit('SRVID=s2');
    expect([id, cookie]).toEqual(['server-one', 'SRVID=server-one; Path=/; HttpOnly']);
  });

  test('replaces one whose member is down, and goes by the new one when that is back', async () => {
    const { visit, pool, cookieOf } = stageOf();
    memberOf(pool, 'm1').update({ enabled: false });
    const [id, cookie] = await visit(cookieOf('m1'));
    expect([id, pairOf(cookie)]).toEqual(['m0', cookieOf('m0')]);
    memberOf(pool, 'm1').update({ enabled: true });
    expect(await visit(pairOf(cookie))).toEqual(['m0', undefined]);
  });

  test('honours one whose member has weight 0', async () => {
    const { visit, pool, cookieOf } = stageOf();
    memberOf(pool, 'm1').update({ weight: 0 });
    expect(await visit(cookieOf('m1'))).toEqual(['m1', undefined]);
  });

  test('goes by the first one that names somebody, where there are several', async () => {
    const { visit, cookieOf } = stageOf();
    expect(await visit(`SRV=old; ${cookieOf('m2')}; ${cookieOf('m1')}`)).toEqual(['m2', undefined]);
  });

  test('honours cookies of a member that was away, since its id is the same', async () => {
    const { visit, pool, table, cookieOf } = stageOf();
    const cookie = cookieOf('m2');
    pool.remove('m2');
    expect(table.find(asking(cookie))).toBe(undefined);
    expect((await visit(cookie))[0]).not.toBe('m2');
    pool.add(spec('m2'));
    expect(await visit(cookie)).toEqual(['m2', undefined]);
  });

  test('knows nothing of a request without a header to ask', async () => {
    const { table } = stageOf();
    expect([table.find({}), table.find({ header: () => undefined })]).toEqual([undefined, undefined]);
  });

  test('passes on everything but its own cookie, to members and to clients', () => {
    const { http, pool } = stageOf();
    const member = memberOf(pool, 'm0');
    expect(http.forwarded('a=1; SRV=x; b=2')).toBe('a=1; b=2');
    expect(['SRV=evil; Path=/', 'SRV = evil', 'a=1; Path=/'].map((cookie) => http.answered(cookie, member))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('the value of a cookie', () => {
  test('tells nothing of a member, and is the same in every process', () => {
    const ids = ['10.0.0.1:80', 'web-1'];
    const values = [1, 2].map(() =>
      ids.map((id) =>
        stageOf(
          {},
          ids.map((each) => spec(each)),
        ).cookieOf(id),
      ),
    );
    expect(values[0]).toEqual(values[1]);
    expect(values.join()).not.toMatch(/10\.0|web/);
  });

  // HMAC-SHA-256 of the id, its first 128 bits in base64url; by OpenSSL:
  // printf m0 | openssl dgst -sha256 -hmac "$secret" -binary | head -c16 | base64 | tr +/ -_ | tr -d =
  test('is an HMAC of its id', () => {
    expect(stageOf().cookieOf('m0')).toBe('SRV=Ao73IQ3TV2u9sgHHgD5Mzg');
    expect(stageOf({ secret }).cookieOf('m0')).toBe('SRV=LanNs5HrhJKe4UkRgF2QHA');
    expect(stageOf({ secret, value: 'id' }).cookieOf('m0')).toBe('SRV=m0.LanNs5HrhJKe4UkRgF2QHA');
  });

  test('is the id where that was asked for, as a cookie can hold it', () => {
    const members = ['0c4b3d6a-0001', '[2001:db8::1]:80', 'unix:/run/a b.sock', 'a;b,c"d\\e%f', 'ä€😀'].map((id) =>
      spec(id),
    );
    const { cookieOf } = stageOf({ value: 'id' }, members);
    expect(members.map(({ id }) => cookieOf(id ?? ''))).toEqual([
      'SRV=0c4b3d6a-0001',
      'SRV=[2001:db8::1]:80',
      'SRV=unix:/run/a%20b.sock',
      'SRV=a%3Bb%2Cc%22d%5Ce%25f',
      'SRV=%C3%A4%E2%82%AC%F0%9F%98%80',
    ]);
  });

  test('that was signed with another secret, or not at all, is worth nothing', () => {
    const signed = stageOf({ secret, value: 'id' });
    for (const other of [stageOf({ value: 'id' }), stageOf({ secret: `${secret}!`, value: 'id' })]) {
      expect(signed.table.find(asking(other.cookieOf('m2')))).toBe(undefined);
      expect(other.table.find(asking(signed.cookieOf('m2')))).toBe(undefined);
      expect(other.table.find(asking(other.cookieOf('m2')))).toBe('m2');
    }
    expect(signed.table.find(asking('SRV=m2'))).toBe(undefined);
  });

  test('finds its member again, whatever the id is', async () => {
    const id = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 12 })
      .filter((text) => !/[\p{C}\u2028\u2029]/u.test(text));
    const settings = fc.constantFrom<HttpCookiePersistenceSpec>(
      {},
      { secret },
      { value: 'id' },
      { value: 'id', secret },
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(id, { minLength: 1, maxLength: 5 }), settings, async (ids, each) => {
        const { visit, cookieOf } = stageOf(
          each,
          ids.map((one) => spec(one)),
        );
        for (const one of ids) {
          expect(cookieOf(one)).toMatch(/^SRV=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/);
          expect(await visit(`x=1; ${cookieOf(one)}`)).toEqual([one, undefined]);
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('what goes with the cookie', () => {
  const line = (settings: HttpCookiePersistenceSpec): string => {
    const { http, pool } = stageOf({ value: 'id', ...settings });
    return http.cookieFor(memberOf(pool, 'm0'), settings.path ?? '/') ?? '';
  };

  test.each<[HttpCookiePersistenceSpec, string]>([
    [{}, 'SRV=m0; Path=/; HttpOnly'],
    [{ name: 'route', httpOnly: false }, 'route=m0; Path=/'],
    [{ path: '/app', domain: 'example.com' }, 'SRV=m0; Path=/app; Domain=example.com; HttpOnly'],
    [{ domain: '.example.com' }, 'SRV=m0; Path=/; Domain=.example.com; HttpOnly'],
    [{ maxAge: 3_600_999 }, 'SRV=m0; Path=/; Max-Age=3600; HttpOnly'],
    [{ secure: true, sameSite: 'none' }, 'SRV=m0; Path=/; HttpOnly; Secure; SameSite=None'],
    [{ sameSite: 'lax' }, 'SRV=m0; Path=/; HttpOnly; SameSite=Lax'],
    [{ sameSite: 'strict' }, 'SRV=m0; Path=/; HttpOnly; SameSite=Strict'],
    [{ name: '__Host-srv', secure: true }, '__Host-srv=m0; Path=/; HttpOnly; Secure'],
    [
      { name: null, path: null, domain: null, maxAge: null, secure: null, httpOnly: null, sameSite: null },
      'SRV=m0; Path=/; HttpOnly',
    ],
  ])('%j: %s', (settings, expected) => {
    expect(line(settings)).toBe(expected);
  });
});

test('is given to requests that will bring it, and to no others', () => {
  const { http, pool } = stageOf({ path: '/app' });
  const given = ['/app', '/app/x', '/', '/apple', '*'].map((path) => http.cookieFor(memberOf(pool, 'm0'), path));
  expect(given.map((cookie) => cookie !== undefined)).toEqual([true, true, false, false, false]);
});

describe('a bad setting is refused', () => {
  test.each<[string, unknown]>([
    ['name', ''],
    ['name', 'a b'],
    ['name', 'a=b'],
    ['name', 'a;b'],
    ['name', 'a\r\nSet-Cookie: x'],
    ['name', 'ä'],
    ['name', 'x'.repeat(256)],
    ['path', ''],
    ['path', 'app'],
    ['path', '/a;b'],
    ['path', '/a\nb'],
    ['path', '/ä'],
    ['path', `/${'x'.repeat(1024)}`],
    ['domain', ''],
    ['domain', '.'],
    ['domain', 'a;b'],
    ['domain', 'a b.example'],
    ['domain', '10.0.0.1'],
    ['domain', '..example.com'],
    ['domain', 'example.com\n'],
    ['maxAge', 999],
    ['secure', 'yes'],
    ['sameSite', 'None'],
    ['value', 'hash'],
  ])('%s: %j', (field, value) => {
    const { path, value: refused } = refusalOf(() => httpCookiePersistence({ [field]: value }));
    expect([path, refused]).toEqual([field, value]);
  });

  test('a secret that is too short or too long is not repeated in the error', () => {
    for (const bad of ['too short', 'x'.repeat(1025)]) {
      const error = thrownBy(() => httpCookiePersistence({ secret: bad })) as Error & { value: unknown };
      expect(`${error.message} ${error.value}`).not.toContain(bad);
      expect(error.message).toContain(`secret: expected a string of 16 to 1024 characters`);
    }
    expect(refusalOf(() => httpCookiePersistence({ secret: 5 as unknown as string })).value).toBe('number');
  });

  test.each<[HttpCookiePersistenceSpec, string, string]>([
    [{ sameSite: 'none' }, 'secure', "true, as sameSite 'none' demands"],
    [{ name: '__Secure-a' }, 'secure', 'true, as __Secure-a demands'],
    [{ name: '__Host-a' }, 'secure', 'true, as __Host-a demands'],
    [{ name: '__Host-a', secure: true, path: '/a' }, 'name', "no '__Host-' beside a path or a domain"],
    [{ name: '__Host-a', secure: true, domain: 'a.example' }, 'name', "no '__Host-' beside a path or a domain"],
  ])('%j, which no browser would keep', (settings, path, expected) => {
    const refusal = refusalOf(() => httpCookiePersistence(settings));
    expect([refusal.path, refusal.expected]).toEqual([path, expected]);
  });
});

test('a secret cannot be read from a persistence', () => {
  const persistence = httpCookiePersistence({ secret });
  expect(JSON.stringify(persistence)).toBe('{"name":"http-cookie","needsHttp":true}');
  expect(Object.keys(persistence)).toEqual(['name', 'needsHttp']);
});
