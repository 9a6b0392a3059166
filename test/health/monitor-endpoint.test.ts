import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { MemberFields, MemberUpdate } from '../../src/core/member-spec.ts';
import type { Pool } from '../../src/core/pool.ts';
import { deferred, FakeProbe, makePool, memberOf, probesNobody, refusalOf, settled, spec } from '../fixtures/core.ts';

/** A pool of one member, `a`, that is checked every second. */
function watch(member: Partial<MemberFields<unknown>>): { clock: VirtualClock; probe: FakeProbe; pool: Pool } {
  const clock = new VirtualClock();
  const probe = new FakeProbe(clock);
  const pool = makePool({ members: [spec('a', member)], healthMonitor: { type: probe, delay: 1000 } }, { clock });
  pool.startChecks(probesNobody);
  return { clock, probe, pool };
}

async function checkedAt(member: Partial<MemberFields<unknown>>): Promise<string> {
  const { clock, probe } = watch(member);
  await clock.advance(100);
  const [check] = probe.checks;
  return `${check?.target.address} ${check?.target.port}`;
}

describe('a check knocks', () => {
  const rows: readonly [member: Partial<MemberFields<unknown>>, at: string][] = [
    [{}, '10.0.0.1 80'],
    [{ monitorPort: 8080 }, '10.0.0.1 8080'],
    [{ monitorAddress: '10.9.9.9' }, '10.9.9.9 80'],
    [{ monitorAddress: '10.9.9.9', monitorPort: 8080 }, '10.9.9.9 8080'],
    [{ monitorAddress: 'checks.example' }, 'checks.example 80'],
    [{ monitorAddress: 'unix:/run/health' }, 'unix:/run/health 0'],
    [{ address: 'unix:/run/app', port: null }, 'unix:/run/app 0'],
    [{ address: 'unix:/run/app', port: null, monitorAddress: 'unix:/run/health' }, 'unix:/run/health 0'],
    [{ address: 'unix:/run/app', port: null, monitorAddress: '127.0.0.1', monitorPort: 8080 }, '127.0.0.1 8080'],
  ];
  for (const [member, at] of rows) {
    test(`at ${at} where the member says ${JSON.stringify(member)}`, async () => {
      expect(await checkedAt(member)).toBe(at);
    });
  }
});

describe('a member', () => {
  test('tells where it is checked', () => {
    const member = memberOf(watch({ monitorAddress: '10.9.9.9', monitorPort: 8080 }).pool, 'a');
    expect([member.monitorAddress, member.monitorPort]).toEqual(['10.9.9.9', 8080]);
  });

  test('tells nothing where it is checked at its own address', () => {
    const member = memberOf(watch({}).pool, 'a');
    expect([member.monitorAddress, member.monitorPort]).toEqual([undefined, undefined]);
  });

  test('is checked elsewhere from its next check on, when that changes', async () => {
    const { clock, probe, pool } = watch({});
    await clock.advance(500);
    memberOf(pool, 'a').update({ monitorPort: 8080 });
    await clock.advance(1000);
    memberOf(pool, 'a').update({ monitorPort: null });
    await clock.advance(1000);
    expect(probe.checks.map(({ target }) => target.port)).toEqual([80, 8080, 80]);
  });

  test('keeps where it is checked when it moves', async () => {
    const { clock, probe, pool } = watch({ monitorAddress: '10.9.9.9' });
    memberOf(pool, 'a').update({ address: '10.0.0.2', port: 81 });
    await clock.advance(100);
    expect(probe.checks.map(({ target }) => `${target.address}:${target.port}`)).toEqual(['10.9.9.9:81']);
  });

  test('keeps its health when it is to be checked elsewhere: one that is down takes no client before a check has passed', async () => {
    const { clock, probe, pool } = watch({});
    probe.answer = () => Promise.reject(new Error('refused'));
    await clock.advance(500);
    memberOf(pool, 'a').update({ monitorPort: 8080 });
    expect(memberOf(pool, 'a').status).toBe('error');
  });

  test('is not judged by a check that was under way elsewhere', async () => {
    const { clock, probe, pool } = watch({ monitorPort: 8080 });
    const answer = deferred();
    probe.answer = () => answer.promise;
    await clock.advance(100);
    memberOf(pool, 'a').update({ monitorPort: 8081 });
    answer.reject(new Error('connect ECONNREFUSED 10.0.0.1:8080'));
    await settled();
    expect(memberOf(pool, 'a').status).toBe('online');
  });
});

describe('refused is', () => {
  const rows: readonly [member: object, path: string, expected: string][] = [
    [{ monitorPort: 0 }, 'monitorPort', 'an integer from 1 to 65535'],
    [{ monitorPort: 65_536 }, 'monitorPort', 'an integer from 1 to 65535'],
    [{ monitorAddress: 'a b' }, 'monitorAddress', "an IP address without brackets, a host name, or 'unix:' and a path"],
    [{ monitorAddress: 'unix:/a', monitorPort: 80 }, 'monitorPort', 'no port beside the path of a Unix socket'],
    [{ address: 'unix:/a', port: null, monitorPort: 80 }, 'monitorPort', 'no port beside the path of a Unix socket'],
    [
      { address: 'unix:/a', port: null, monitorAddress: '::1' },
      'monitorPort',
      'a port, which the Unix socket does not have',
    ],
  ];
  for (const [member, path, expected] of rows) {
    test(`${JSON.stringify(member)}`, () => {
      expect(refusalOf(() => watch(member))).toMatchObject({ path: `members[0].${path}`, expected });
    });
  }

  test('a change that leaves a port beside the path of a Unix socket, and nothing has changed', () => {
    const { pool } = watch({ monitorPort: 8080 });
    const member = memberOf(pool, 'a');
    const change: MemberUpdate = { address: 'unix:/run/app', weight: 7 };
    expect(refusalOf(() => member.update(change)).path).toBe('monitorPort');
    expect([member.address, member.weight]).toEqual(['10.0.0.1', 1]);
  });
});
