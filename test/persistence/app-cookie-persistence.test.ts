import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type AppCookiePersistenceSpec, appCookiePersistence } from '../../src/persistence/app-cookie-persistence.ts';
import type { PersistenceTable } from '../../src/persistence/persistence.ts';
import { equal, makePool, memberOf, refusalOf } from '../fixtures/core.ts';
import { asking, serve, started } from './stage.ts';

function stageOf(settings: Partial<AppCookiePersistenceSpec> = {}) {
  const stage = { clock: new VirtualClock(), random: seededRandom(1) };
  const pool = makePool({ members: equal(3) }, stage);
  const table = started(appCookiePersistence({ name: 'JSESSIONID', ...settings }), stage, pool);
  const { http } = table;
  if (http === undefined) throw new Error('an app-cookie persistence has to do with HTTP');
  /** The member of a request with these cookies, which may set some in its answer. */
  const visit = async (cookies?: string, ...answered: string[]): Promise<string> => {
    const { member, isKept } = await serve(pool, table, asking(cookies), stage);
    for (const each of answered) expect(http.answered(each, member)).toBe(true);
    return isKept ? `${member.id} again` : member.id;
  };
  return { ...stage, pool, table, http, visit };
}

describe("persistence by an application's cookie", () => {
  test('sends a session to the member that has begun it', async () => {
    const { visit } = stageOf();
    expect(await visit(undefined, 'JSESSIONID=abc; Path=/; HttpOnly')).toBe('m0');
    expect(await visit(undefined, 'other=1', 'JSESSIONID="def"')).toBe('m1');
    expect([
      await visit('JSESSIONID=abc'),
      await visit('x=1; JSESSIONID=def'),
      await visit('JSESSIONID="def"'),
    ]).toEqual(['m0 again', 'm1 again', 'm1 again']);
  });

  test('knows only what members have set', async () => {
    const { visit, table } = stageOf();
    await visit('JSESSIONID=made-up');
    await visit(undefined, 'other=1');
    await visit('JSESSIONID=; a=1', 'JSESSIONID=');
    expect(table.size).toBe(0);
    expect([await visit('JSESSIONID=made-up'), await visit('jsessionid=made-up')]).toEqual(['m0', 'm1']);
  });

  test('learns from requests, too, where it is told to', async () => {
    const { visit, table } = stageOf({ learnsFromRequests: true });
    expect([
      await visit('JSESSIONID=; JSESSIONID=old'),
      await visit('JSESSIONID=old'),
      await visit('JSESSIONID='),
    ]).toEqual(['m0', 'm0 again', 'm1']);
    expect(table.size).toBe(1);
  });

  test('does not learn a cookie that is being removed', async () => {
    const { visit, table } = stageOf();
    await visit(undefined, 'JSESSIONID=deleted; Max-Age=0');
    expect(table.size).toBe(0);
  });

  test('moves a session whose member is down, and leaves it where it is then', async () => {
    const { visit, pool } = stageOf();
    await visit(undefined, 'JSESSIONID=abc');
    memberOf(pool, 'm0').update({ enabled: false });
    expect([await visit('JSESSIONID=abc'), await visit('JSESSIONID=abc')]).toEqual(['m1', 'm1 again']);
    memberOf(pool, 'm0').update({ enabled: true });
    expect(await visit('JSESSIONID=abc')).toBe('m1 again');
  });

  test('follows a value that another member sets later', async () => {
    const { visit } = stageOf();
    await visit(undefined, 'JSESSIONID=abc');
    await visit(undefined, 'JSESSIONID=abc');
    expect(await visit('JSESSIONID=abc')).toBe('m1 again');
  });

  test('goes by the first value that it knows, where there are several', async () => {
    const { visit } = stageOf();
    await visit(undefined, 'JSESSIONID=abc');
    expect(await visit('JSESSIONID=stale; JSESSIONID=abc')).toBe('m0 again');
  });

  // HAProxy under Octavia cuts values to 64 characters, so that sessions that begin alike are one.
  test('tells long values apart that differ at their end, and those of any characters', async () => {
    const { visit } = stageOf();
    const long = 'x'.repeat(4000);
    for (const value of [`${long}1`, `${long}2`, '\u00e4\u00ff']) await visit(undefined, `JSESSIONID=${value}`);
    const ids = [];
    for (const value of [`${long}1`, `${long}2`, '\u00e4\u00ff', long]) ids.push(await visit(`JSESSIONID=${value}`));
    expect(ids).toEqual(['m0 again', 'm1 again', 'm2 again', 'm0']);
  });

  test('forgets after three hours without use by default', async () => {
    const { visit, clock, table } = stageOf();
    await visit(undefined, 'JSESSIONID=abc');
    await clock.advance(10_800_000);
    expect(await visit('JSESSIONID=abc')).toBe('m0 again');
    await clock.advance((10_800_000 * 65) / 64);
    expect([await visit('JSESSIONID=abc'), table.size]).toEqual(['m1', 0]);
  });

  test('forgets sessions that were not seen for longest where there are too many', async () => {
    const { visit, table } = stageOf({ maxEntries: 2 });
    for (const value of ['a', 'b', 'c']) await visit(undefined, `JSESSIONID=${value}`);
    expect([table.size, table.evicted]).toEqual([2, 1]);
    expect([await visit('JSESSIONID=c'), await visit('JSESSIONID=a')]).toEqual(['m2 again', 'm0']);
  });

  test('forgets the sessions of a member that is gone', async () => {
    const { visit, pool } = stageOf();
    await visit(undefined, 'JSESSIONID=abc');
    const [member] = pool.members;
    pool.remove(member?.id ?? '');
    pool.add({ id: member?.id ?? '', address: '10.9.9.9', port: 1 });
    expect(await visit('JSESSIONID=abc')).not.toContain('again');
  });

  test('learns nothing from a member that has left the pool while it answered', () => {
    const { http, pool, table } = stageOf();
    const member = memberOf(pool, 'm0');
    pool.remove('m0');
    expect([http.answered('JSESSIONID=abc', member), table.size]).toEqual([true, 0]);
  });

  test('touches nothing that goes either way, and adds nothing', () => {
    const { http, pool } = stageOf();
    const member = memberOf(pool, 'm0');
    expect(http.forwarded('a=1; JSESSIONID=x')).toBe('a=1; JSESSIONID=x');
    expect([http.answered('JSESSIONID=y', member), http.cookieFor(member, '/')]).toEqual([true, undefined]);
  });
});

describe('a table that replaces another one', () => {
  function replaced(after: AppCookiePersistenceSpec) {
    const { table, pool, clock } = stageOf();
    const member = memberOf(pool, 'm0');
    table.http?.answered('JSESSIONID=abc', member);
    const second: PersistenceTable = appCookiePersistence(after).start({ clock, random: seededRandom(2) }, table);
    return { table, second, member };
  }

  test('goes on where the cookie is the same, by the new settings', () => {
    const { table, second, member } = replaced({ name: 'JSESSIONID', learnsFromRequests: true, maxEntries: 1 });
    expect([second === table, second.find(asking('JSESSIONID=abc'))]).toEqual([true, 'm0']);
    second.keep(asking('JSESSIONID=old'), member);
    expect(second.find(asking('JSESSIONID=old'))).toBe('m0');
    expect(second.find(asking('JSESSIONID=abc'))).toBe(undefined);
  });

  test('begins anew where it is another one', () => {
    const { table, second } = replaced({ name: 'PHPSESSID' });
    expect([second === table, second.find(asking('PHPSESSID=abc'))]).toEqual([false, undefined]);
  });
});

describe('a bad setting is refused', () => {
  test.each<[string, unknown]>([
    ['name', undefined],
    ['name', 'a;b'],
    ['timeout', 1],
    ['maxEntries', 0.5],
    ['learnsFromRequests', 1],
    ['cookie', 'a'],
  ])('%s: %j', (field, value) => {
    const settings = { name: 'JSESSIONID', [field]: value };
    expect(refusalOf(() => appCookiePersistence(settings))).toMatchObject({ path: field, value });
  });
});
