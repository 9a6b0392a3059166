import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { PersistenceTable } from '../../src/persistence/persistence.ts';
import { type SourceIpPersistenceSpec, sourceIpPersistence } from '../../src/persistence/source-ip-persistence.ts';
import { equal, makePool, memberOf, refusalOf } from '../fixtures/core.ts';
import { serve, started } from './stage.ts';

const at = (clientAddress: string | undefined) => ({ clientAddress });

function stageOf(spec: SourceIpPersistenceSpec = {}) {
  const clock = new VirtualClock();
  const stage = { clock, random: seededRandom(1) };
  const pool = makePool({ members: equal(3) }, stage);
  const table = started(sourceIpPersistence(spec), stage, pool);
  const visit = async (address: string | undefined): Promise<string> => {
    const { member, isKept } = await serve(pool, table, at(address), stage);
    return isKept ? `${member.id} again` : member.id;
  };
  return { ...stage, pool, table, visit };
}

describe('persistence by source address', () => {
  test('sends the same client to the same member, and others where the strategy says', async () => {
    const { visit } = stageOf();
    const ids = [];
    for (const address of ['10.0.0.1', '10.0.0.1', '10.0.0.2', '2001:db8::1', '10.0.0.1', '2001:db8::1'])
      ids.push(await visit(address));
    expect(ids).toEqual(['m0', 'm0 again', 'm1', 'm2', 'm0 again', 'm2 again']);
  });

  test('takes an address for the same however it is written', async () => {
    const { visit } = stageOf();
    expect([await visit('10.0.0.1'), await visit('::ffff:10.0.0.1'), await visit('::ffff:a00:1')]).toEqual([
      'm0',
      'm0 again',
      'm0 again',
    ]);
    expect([await visit('fe80::1%eth0'), await visit('fe80:0::1')]).toEqual(['m1', 'm1 again']);
  });

  test('knows nothing of a client without an address', async () => {
    const { visit, table } = stageOf();
    expect([await visit(undefined), await visit(undefined), await visit('unix:/run/app'), table.size]).toEqual([
      'm0',
      'm1',
      'm2',
      0,
    ]);
  });

  test('moves a client whose member is down, and leaves it where it is then', async () => {
    const { visit, pool } = stageOf();
    await visit('10.0.0.1');
    memberOf(pool, 'm0').update({ enabled: false });
    expect([await visit('10.0.0.1'), await visit('10.0.0.1')]).toEqual(['m1', 'm1 again']);
    memberOf(pool, 'm0').update({ enabled: true });
    expect(await visit('10.0.0.1')).toBe('m1 again');
  });

  test('keeps a client on a member of weight 0', async () => {
    const { visit, pool } = stageOf();
    await visit('10.0.0.1');
    memberOf(pool, 'm0').update({ weight: 0 });
    expect([await visit('10.0.0.1'), await visit('10.0.0.2')]).toEqual(['m0 again', 'm1']);
  });

  test('does not take a new member for one of the same id that is gone', async () => {
    const { visit, pool } = stageOf();
    await visit('10.0.0.1');
    pool.remove('m0');
    pool.add({ id: 'm0', address: '10.9.9.9', port: 1 });
    expect(await visit('10.0.0.1')).not.toBe('m0 again');
  });

  test('forgets after half an hour by default, up to a 64th later', async () => {
    const { visit, clock } = stageOf();
    await visit('10.0.0.1');
    await clock.advance(1_800_000);
    expect(await visit('10.0.0.1')).toBe('m0 again');
    await clock.advance((1_800_000 * 65) / 64);
    expect(await visit('10.0.0.1')).toBe('m1');
  });

  test('forgets those that it has not seen for longest where there are too many', async () => {
    const { visit, table } = stageOf({ maxEntries: 2 });
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.1', '10.0.0.3']) await visit(address);
    expect([table.size, table.evicted]).toEqual([2, 1]);
    expect([await visit('10.0.0.1'), await visit('10.0.0.3')]).toEqual(['m0 again', 'm2 again']);
    expect(await visit('10.0.0.2')).toBe('m0');
  });

  test('takes all clients of a block for one, where told how large it is', async () => {
    const { visit } = stageOf({ granularity: { ipv4: 24, ipv6: 64 } });
    const ids = [];
    for (const address of [
      '10.0.0.1',
      '10.0.0.255',
      '10.0.1.0',
      '2001:db8::1',
      '2001:db8::ffff:1:2:3',
      '2001:db8:0:1::1',
    ])
      ids.push(await visit(address));
    expect(ids).toEqual(['m0', 'm0 again', 'm1', 'm2', 'm2 again', 'm0']);
  });
});

describe('a table that replaces another one', () => {
  function replaced(before: SourceIpPersistenceSpec, after: SourceIpPersistenceSpec) {
    const stage = { clock: new VirtualClock(), random: seededRandom(1) };
    const pool = makePool({ members: equal(1) }, stage);
    const first: PersistenceTable = sourceIpPersistence(before).start(stage);
    const member = memberOf(pool, 'm0');
    first.keep(at('10.0.0.1'), member);
    return { first, second: sourceIpPersistence(after).start(stage, first), member, clock: stage.clock };
  }

  test('goes on where only its limits are others', async () => {
    const { first, second, member, clock } = replaced({ timeout: 6400 }, { timeout: 64_000, maxEntries: 1 });
    expect([second === first, second.find(at('10.0.0.1'))]).toEqual([true, 'm0']);
    await clock.advance(60_000);
    expect(second.find(at('10.0.0.1'))).toBe('m0');
    second.keep(at('10.0.0.2'), member);
    expect(second.find(at('10.0.0.1'))).toBe(undefined);
  });

  test('begins anew where clients are told apart in another way', () => {
    for (const granularity of [{ ipv4: 24 }, { ipv6: 64 }]) {
      const { first, second } = replaced({}, { granularity });
      expect([second === first, second.find(at('10.0.0.1'))]).toEqual([false, undefined]);
    }
  });

  test('begins anew where it was of another kind', () => {
    const stage = { clock: new VirtualClock(), random: seededRandom(1) };
    const other: PersistenceTable = { find: () => undefined, keep: () => {} };
    expect(sourceIpPersistence().start(stage, other)).not.toBe(other);
  });
});

describe('a bad setting is refused', () => {
  test.each([
    ['timeout', 999, '0, or milliseconds from 1000 to 2147483647'],
    ['timeout', Number.NaN, '0, or milliseconds from 1000 to 2147483647'],
    ['timeout', 2_147_483_648, '0, or milliseconds from 1000 to 2147483647'],
    ['maxEntries', 0, 'an integer from 1 to 16777216'],
    ['maxEntries', 16_777_217, 'an integer from 1 to 16777216'],
  ])('%s: %j', (path, value, expected) => {
    expect(refusalOf(() => sourceIpPersistence({ [path]: value }))).toEqual({ path, value, expected });
  });

  test.each([
    ['ipv4', 0, 'an integer from 1 to 32'],
    ['ipv4', 33, 'an integer from 1 to 32'],
    ['ipv6', 0, 'an integer from 1 to 128'],
    ['ipv6', 129, 'an integer from 1 to 128'],
  ])('granularity.%s: %j', (field, value, expected) => {
    const refusal = refusalOf(() => sourceIpPersistence({ granularity: { [field]: value } }));
    expect(refusal).toEqual({ path: `granularity.${field}`, value, expected });
  });

  test('but null asks for the default, and 0 for no timeout', () => {
    expect(sourceIpPersistence({ timeout: null, maxEntries: null, granularity: null }).name).toBe('source-ip');
    expect(sourceIpPersistence({ timeout: 0, granularity: { ipv4: null } }).name).toBe('source-ip');
  });
});
