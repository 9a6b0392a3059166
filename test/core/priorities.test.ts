import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Member } from '../../src/core/member.ts';
import type { MemberFields } from '../../src/core/member-spec.ts';
import type { Pool } from '../../src/core/pool.ts';
import type { PoolUpdate } from '../../src/core/pool-spec.ts';
import { planPriorities } from '../../src/core/priority-load.ts';
import { seededRandom } from '../../src/core/random.ts';
import { murmur3 } from '../../src/strategies/murmur3.ts';
import type { Picker, Strategy } from '../../src/strategies/strategy.ts';
import { client, makePool, memberOf, spec, take, tally, visit, visits } from '../fixtures/core.ts';
import { down, everyPercent, monitoredPool, up } from '../fixtures/monitored.ts';

/** Members `p0a`, `p0b`, … `p1a`, …: so many of each priority. */
function levels(...sizes: readonly number[]): MemberFields<unknown>[] {
  return sizes.flatMap((size, priority) =>
    Array.from({ length: size }, (_, index) => spec(`p${priority}${String.fromCharCode(97 + index)}`, { priority })),
  );
}

function pooled(members: readonly MemberFields<unknown>[], settings: PoolUpdate = {}): Pool {
  return monitoredPool({ members, ...settings }, { random: everyPercent() });
}

/** What each priority gets of so many clients; with `everyPercent`, of a hundred, in percent. */
function shares(pool: Pool, clients = 100): Record<string, number> {
  const priorities = visits(pool, clients).map((id) => pool.get(id)?.priority.toString() ?? id);
  return tally(priorities);
}

describe('clients of a pool with levels of priority', () => {
  test('all go to the first level while it is healthy enough', () => {
    const pool = pooled(levels(4, 4));
    down(pool, 'p0a');
    expect(shares(pool)).toEqual({ 0: 100 });
  });

  test('go from level to level in gentle steps as members go down, and back as they come up', () => {
    const pool = pooled(levels(4, 4, 2));
    const steps: Record<string, number>[] = [];
    const ids = pool.members.slice(0, 9).map(({ id }) => id);
    for (const id of ids) {
      down(pool, id);
      steps.push(shares(pool));
    }
    expect(steps).toEqual([
      { 0: 100 },
      { 0: 70, 1: 30 },
      { 0: 35, 1: 65 },
      { 1: 100 },
      { 1: 100 },
      { 1: 70, 2: 30 },
      { 1: 35, 2: 65 },
      { 2: 100 },
      { 2: 100 },
    ]);
    const back = ids.toReversed().map((id) => {
      up(pool, id);
      return shares(pool);
    });
    expect(back).toEqual([...steps.slice(0, -1).toReversed(), { 0: 100 }]);
  });

  test('spread as planned where chance decides', () => {
    const pool = monitoredPool({ members: levels(4, 4) }, { random: seededRandom(7) });
    down(pool, 'p0a', 'p0b', 'p0c');
    const { 0: first = 0, 1: second = 0 } = shares(pool, 20_000);
    expect(first + second).toBe(20_000);
    expect(Math.abs(first / 20_000 - 0.35)).toBeLessThan(0.01);
  });

  test('are scaled up where all levels together cannot carry them, without panic', () => {
    const pool = pooled(levels(5, 5, 5));
    for (const priority of [0, 1, 2]) down(pool, ...['a', 'b', 'c', 'd'].map((letter) => `p${priority}${letter}`));
    expect(shares(pool)).toEqual({ 0: 34, 1: 33, 2: 33 });
  });

  test('follow a change of the overprovisioning factor at once', () => {
    const pool = pooled(levels(4, 4));
    down(pool, 'p0a', 'p0b');
    const before = shares(pool);
    pool.update({ overprovisioningFactor: 100 });
    const without = shares(pool);
    pool.update({ overprovisioningFactor: 200 });
    const double = shares(pool);
    pool.update({ overprovisioningFactor: null });
    expect([before, without, double, shares(pool)]).toEqual([
      { 0: 70, 1: 30 },
      { 0: 50, 1: 50 },
      { 0: 100 },
      { 0: 70, 1: 30 },
    ]);
  });

  test('take the levels by number, whatever numbers there are and in whatever order', () => {
    const pool = pooled([
      spec('last', { priority: 127 }),
      spec('first', { priority: 3 }),
      spec('next', { priority: 60 }),
    ]);
    const order = [visit(pool)];
    down(pool, 'first');
    order.push(visit(pool));
    down(pool, 'next');
    order.push(visit(pool));
    expect(order).toEqual(['first', 'next', 'last']);
  });

  test('spread within a level as the strategy says', () => {
    const members = [
      spec('a', { weight: 3 }),
      spec('b', { weight: 1 }),
      spec('x', { weight: 0 }),
      spec('c', { priority: 1, weight: 2 }),
      spec('d', { priority: 1 }),
    ];
    const pool = pooled([...members, spec('gone')]);
    down(pool, 'a', 'gone');
    // One of three is healthy: 46 %.
    expect(tally(visits(pool, 300))).toEqual({ b: 138, c: 108, d: 54 });
  });

  test('do not count on members that are disabled, draining or of weight 0', () => {
    const pool = pooled([...levels(1, 1), spec('off', { enabled: false }), spec('zero', { weight: 0 }), spec('drain')]);
    void pool.drain('drain');
    expect(shares(pool)).toEqual({ 0: 100 });
  });

  test('go past a level whose members nobody has checked yet, as if it were not there', () => {
    const pool = monitoredPool({ members: levels(2, 2) }, { random: everyPercent() }, 'down');
    up(pool, 'p1a');
    // The only one that was checked in its level: all of it.
    expect(shares(pool)).toEqual({ 1: 100 });
    down(pool, 'p1b');
    expect(shares(pool)).toEqual({ 1: 100 });
    up(pool, 'p0a');
    expect(shares(pool)).toEqual({ 0: 100 });
  });

  test('get none where no level has anybody', () => {
    const pool = pooled(levels(1, 1));
    down(pool, 'p0a', 'p1a');
    expect(visit(pool)).toBe('no-eligible-member');
  });
});

describe('a level that cannot take a client', () => {
  test('leaves it to the next one where its members are full', () => {
    const pool = pooled([spec('a', { maxConnections: 1 }), spec('b', { priority: 1, maxConnections: 1 })]);
    const first = take(pool);
    const second = take(pool);
    expect([first.member.id, second.member.id, visit(pool)]).toEqual(['a', 'b', 'members-full']);
    first.release();
    expect(visit(pool)).toBe('a');
  });

  test('leaves it to the next one where its members are at a limit of their circuits', () => {
    const pool = pooled([spec('a', { maxPending: 1 }), spec('b', { priority: 1 })]);
    const lease = take(pool);
    const spilled = visit(pool);
    lease.connected();
    expect([spilled, visit(pool)]).toEqual(['b', 'a']);
  });

  test('leaves it to the next one where the client has tried its members', () => {
    const pool = pooled(levels(2, 1));
    const [a, b, c] = pool.members as [Member, Member, Member];
    expect([visit(pool, { exclude: [a, b] }), visit(pool, { exclude: [a, b, c] })]).toEqual(['p1a', 'members-tried']);
  });

  test('leaves it to those ahead of it first', () => {
    const pool = pooled(levels(2, 1, 1));
    down(pool, 'p0a');
    const exclude = [memberOf(pool, 'p1a')];
    // 30 % are meant for the second level.
    expect(tally(Array.from({ length: 100 }, () => visit(pool, { exclude })))).toEqual({ p0b: 100 });
  });

  test('leaves it to the next one where the strategy picks none of it', () => {
    const picky: Strategy = {
      name: 'picky',
      prepare: (members) => ({ pick: () => members.find(({ id }) => id !== 'p0a') }),
    };
    expect(visit(pooled(levels(1, 1), { strategy: picky }))).toBe('p1a');
  });
});

describe('backups', () => {
  test('serve only where no level of primaries can', () => {
    const pool = pooled([...levels(1, 1), spec('backup', { backup: true })]);
    const served = [visit(pool)];
    down(pool, 'p0a');
    served.push(visit(pool));
    down(pool, 'p1a');
    served.push(visit(pool));
    up(pool, 'p1a');
    expect([...served, visit(pool)]).toEqual(['p0a', 'p1a', 'backup', 'p1a']);
  });

  test('take no share of what primaries cannot carry', () => {
    const pool = pooled([...levels(10), spec('backup', { backup: true })]);
    down(pool, ...pool.members.slice(0, 9).map(({ id }) => id));
    expect(tally(visits(pool, 100))).toEqual({ p0j: 100 });
  });

  test('take what every level of primaries is too full for', () => {
    const full = { maxConnections: 1 };
    const pool = pooled([spec('a', full), spec('b', { ...full, priority: 1 }), spec('backup', { backup: true })]);
    expect([take(pool), take(pool), take(pool)].map(({ member }) => member.id)).toEqual(['a', 'b', 'backup']);
  });

  test('have levels of their own', () => {
    const backup = true;
    const pool = pooled([
      spec('a'),
      spec('b0', { backup }),
      spec('b1', { backup }),
      spec('c', { backup, priority: 1 }),
      spec('d', { backup, priority: 5 }),
    ]);
    down(pool, 'a');
    const all = shares(pool);
    down(pool, 'b0');
    const half = shares(pool);
    down(pool, 'b1', 'c');
    expect([all, half, shares(pool)]).toEqual([{ 0: 100 }, { 0: 70, 1: 30 }, { 5: 100 }]);
  });

  test('become primaries, and the other way round, at once and with their connections', () => {
    const pool = pooled([spec('a'), spec('b', { backup: true })]);
    const lease = take(pool);
    pool.update({ members: [spec('a', { backup: true }), spec('b')] });
    expect([lease.member.id, visit(pool), memberOf(pool, 'a').stats.activeConnections]).toEqual(['a', 'b', 1]);
    lease.release();
    expect(memberOf(pool, 'a').stats.activeConnections).toBe(0);
  });
});

describe('a member whose priority changes', () => {
  test('serves in its new level from the next client on', () => {
    const pool = pooled(levels(1, 1));
    memberOf(pool, 'p0a').update({ priority: 2 });
    expect([visit(pool), memberOf(pool, 'p0a').priority]).toEqual(['p1a', 2]);
  });

  test('keeps its connections and counters', () => {
    const pool = pooled(levels(1, 1));
    const [lease, member] = [take(pool), memberOf(pool, 'p0a')];
    lease.connected();
    lease.countIn(7);
    member.update({ priority: 9 });
    const { activeConnections, totalConnections } = member.stats;
    lease.release();
    expect([activeConnections, totalConnections, member.stats.bytesIn, member.stats.activeConnections]).toEqual([
      1, 1, 7, 0,
    ]);
  });

  // Envoy's LocalityUpdateActiveHealthStatusReuse.
  test('stays down, or up, and keeps its place in the count of checks', () => {
    const pool = pooled(levels(1, 2));
    pool.update({ healthMonitor: { type: 'tcp', maxRetries: 2, maxRetriesDown: 2, initialHealth: 'fully-up' } });
    down(pool, 'p1a', 'p1a', 'p1b');
    const heard: string[] = [];
    pool.on('member-status', ({ member, to }) => heard.push(`${member.id} ${to}`));
    for (const id of ['p1a', 'p1b']) memberOf(pool, id).update({ priority: 0 });
    const statuses = pool.members.map(({ status }) => status);
    down(pool, 'p1b');
    expect([statuses, heard]).toEqual([['online', 'error', 'online'], ['p1b error']]);
  });

  test('stays the same member in an update of the whole list, too', () => {
    const pool = pooled(levels(2, 2));
    const before = [...pool.members];
    const lease = take(pool);
    // Envoy's Http2UpdatePriorities: everybody changes places.
    pool.update({ members: [...levels(2, 2)].map((member) => ({ ...member, priority: 1 - (member.priority ?? 0) })) });
    expect(pool.members.every((member, index) => member === before[index])).toBe(true);
    expect([visit(pool), visit(pool)].toSorted()).toEqual(['p1a', 'p1b']);
    expect(memberOf(pool, lease.member.id).stats.activeConnections).toBe(1);
  });

  test('leaves no level behind', () => {
    const pool = pooled(levels(1, 1));
    memberOf(pool, 'p1a').update({ priority: 0 });
    expect(tally(visits(pool, 10))).toEqual({ p0a: 5, p1a: 5 });
  });
});

describe('what a pool with levels tells', () => {
  /** Everything but `listener-error`. */
  function listen(pool: Pool): string[] {
    const heard: string[] = [];
    pool.on('member-added', ({ member }) => heard.push(`+${member.id}`));
    pool.on('member-removed', ({ member }) => heard.push(`-${member.id}`));
    pool.on('member-status', ({ member, to }) => heard.push(`${member.id} ${to}`));
    pool.on('status', ({ to }) => heard.push(`pool ${to}`));
    pool.on('panic', ({ isPanicking }) => heard.push(`panic ${isPanicking}`));
    return heard;
  }

  // Envoy's HealthUpdate.
  test('of a member that goes down is no change of membership', () => {
    const pool = pooled(levels(1, 1));
    const [heard, { members }] = [listen(pool), pool];
    down(pool, 'p0a');
    up(pool, 'p0a');
    expect(heard).toEqual(['p0a error', 'pool degraded', 'p0a online', 'pool online']);
    expect(pool.members).toBe(members);
  });

  // Envoy's BatchMemberUpdateCb.
  test('of an update of many members is one change of the pool', () => {
    const pool = pooled(levels(3, 3), { panic: {} });
    down(pool, ...pool.members.slice(1).map(({ id }) => id));
    const heard = listen(pool);
    pool.update({ members: [spec('new', { priority: 3 }), spec('p0b'), spec('p1a', { priority: 4, enabled: false })] });
    expect(heard.filter((event) => event.startsWith('pool') || event.startsWith('panic'))).toEqual(['panic false']);
    expect(heard.slice(0, 4)).toEqual(['-p0a', '-p0c', '-p1b', '-p1c']);
    expect([visit(pool), pool.isPanicking]).toEqual(['new', false]);
  });

  test('of a change of priority or zone alone is nothing', () => {
    const pool = pooled(levels(1, 1));
    const heard = listen(pool);
    memberOf(pool, 'p0a').update({ priority: 5, zone: 'eu-1' });
    expect(heard).toEqual([]);
  });

  // Envoy's EndpointDisableActiveHCFlag.
  test('when its monitor goes is that all members serve again', () => {
    const pool = pooled(levels(1, 1));
    down(pool, 'p0a');
    const before = visit(pool);
    const heard = listen(pool);
    pool.update({ healthMonitor: null });
    expect([before, visit(pool), heard]).toEqual(['p1a', 'p0a', ['p0a no-monitor', 'p1a no-monitor', 'pool online']]);
  });
});

/** A strategy that takes members in turn and notes what it is given. */
function noting() {
  const notes: { readonly members: string; readonly previous: string | undefined }[] = [];
  const made = new Map<Picker, string>();
  const strategy: Strategy = {
    name: 'noting',
    prepare: (members, previous) => {
      const ids = members.map(({ id }) => id).join();
      notes.push({ members: ids, previous: previous === undefined ? undefined : (made.get(previous) ?? 'foreign') });
      let turn = 0;
      const picker: Picker = { pick: () => members[turn++ % members.length] };
      made.set(picker, ids);
      return picker;
    },
  };
  /** What was prepared for the last clients. */
  const since = (pool: Pool): string[] => {
    notes.length = 0;
    visit(pool);
    return notes.map(({ members, previous }) => `${members} after ${previous ?? 'nothing'}`);
  };
  return { strategy, since };
}

describe('the pickers of levels', () => {
  test('are prepared for their own members, and carry on from their own predecessors', () => {
    const { strategy, since } = noting();
    const pool = pooled(levels(2, 2), { strategy });
    expect(since(pool)).toEqual(['p0a,p0b after nothing', 'p1a,p1b after nothing']);
    down(pool, 'p1a');
    expect(since(pool)).toEqual(['p0a,p0b after p0a,p0b', 'p1b after p1a,p1b']);
  });

  test('are not prepared again for nothing', () => {
    const { strategy, since } = noting();
    const pool = pooled(levels(2, 2), { strategy });
    since(pool);
    down(pool, 'p0a');
    since(pool);
    down(pool, 'p0a');
    pool.update({ panic: null, overprovisioningFactor: null });
    memberOf(pool, 'p0a').update({ maxPending: 3 });
    expect(since(pool)).toEqual([]);
  });

  test('wait while nobody of their level serves, and carry on when somebody does', () => {
    const { strategy, since } = noting();
    const pool = pooled(levels(2, 1), { strategy });
    since(pool);
    down(pool, 'p0a', 'p0b');
    expect(since(pool)).toEqual(['p1a after p1a']);
    up(pool, 'p0b');
    expect(since(pool)).toEqual(['p0b after p0a,p0b', 'p1a after p1a']);
  });

  test('go with the last member of their level', () => {
    const { strategy, since } = noting();
    const pool = pooled(levels(1, 1), { strategy });
    since(pool);
    pool.remove('p0a');
    expect(since(pool)).toEqual(['p1a after p1a']);
    pool.add(spec('p0a'));
    expect(since(pool)).toEqual(['p0a after nothing', 'p1a after p1a']);
  });

  test('stay, the last of them, also where the pool has no members left', () => {
    const { strategy, since } = noting();
    const pool = pooled(levels(1), { strategy });
    since(pool);
    pool.remove('p0a');
    visit(pool);
    pool.add(spec('b'));
    expect(since(pool)).toEqual(['b after p0a']);
  });

  test('follow a change of the strategy, level by level', () => {
    const { strategy, since } = noting();
    const pool = pooled(levels(1, 1));
    visit(pool);
    pool.update({ strategy });
    expect(since(pool)).toEqual(['p0a after foreign', 'p1a after foreign']);
  });

  test('carry on where they were: a level that was empty does not start with its first member again', () => {
    const pool = pooled(levels(3, 1));
    const before = [visit(pool), visit(pool)];
    down(pool, 'p0a', 'p0b', 'p0c');
    const between = visit(pool);
    up(pool, 'p0a', 'p0b', 'p0c');
    expect([...before, between, visit(pool)]).toEqual(['p0a', 'p0b', 'p1a', 'p0c']);
  });

  test('that throw are asked again, and leave the pool as it was', () => {
    let isMoody = false;
    const strategy: Strategy = {
      name: 'moody',
      prepare: (members) => {
        if (isMoody && members[0]?.priority === 1) throw new Error('not today');
        return { pick: () => members[0] };
      },
    };
    const pool = pooled(levels(2, 1), { strategy });
    const lease = take(pool);
    isMoody = true;
    down(pool, 'p0a');
    expect(() => pool.acquire()).toThrow('not today');
    lease.release();
    isMoody = false;
    expect([visit(pool), pool.stats.activeConnections]).toEqual(['p0b', 0]);
  });
});

/** Places clients by their key, and says so. */
const byKey: Strategy = {
  name: 'by-key',
  prepare: (members) => ({
    pick: ({ key = '' }) => members[murmur3(key) % members.length],
    hashOf: ({ key }) => (key === undefined ? undefined : murmur3(key)),
  }),
};

const keyed = (number: number) => ({ key: `client ${number}` });

describe('a client that the strategy knows again', () => {
  const places = (pool: Pool, clients = 2000) => visits(pool, clients, keyed).map((id) => memberOf(pool, id).priority);

  test('keeps its level', () => {
    const pool = monitoredPool({ members: levels(4, 4), strategy: byKey });
    down(pool, 'p0a', 'p0b');
    expect(places(pool)).toEqual(places(pool));
  });

  test('makes a share like any other', () => {
    const pool = monitoredPool({ members: levels(4, 4, 4), strategy: byKey });
    down(pool, 'p0a', 'p0b', 'p0c', 'p1a', 'p1b', 'p1c');
    const counts = tally(places(pool, 10_000).map(String));
    for (const [priority, share] of [0.35, 0.35, 0.3].entries()) {
      expect(Math.abs((counts[priority] ?? 0) / 10_000 - share)).toBeLessThan(0.02);
    }
  });

  test('moves to another level only as far as shares have moved', () => {
    const pool = monitoredPool({ members: levels(4, 4), strategy: byKey });
    const steps = ['p0a', 'p0b', 'p0c', 'p0d'].map((id) => {
      down(pool, id);
      return places(pool);
    });
    for (const [step, now] of steps.entries()) {
      const before = steps[step - 1];
      if (before !== undefined)
        for (const [index, priority] of before.entries()) expect(now[index]).toBeGreaterThanOrEqual(priority);
    }
    const ahead = steps.map((step) => step.filter((priority) => priority === 0).length / 2000);
    for (const [step, share] of [1, 0.7, 0.35, 0].entries()) expect(ahead[step]).toBeCloseTo(share, 1);
  });

  test.each<readonly [string, (hash: number) => number]>([
    ['the remainder', (hash) => (hash % 100) / 100],
    ['the range', (hash) => hash / 2 ** 32],
  ])('is spread evenly within its level, whatever of the hash places it there: %s', (_, fractionOf) => {
    const strategy: Strategy = {
      name: 'by-fraction',
      prepare: (members) => ({
        pick: ({ key = '' }) => members[Math.floor(fractionOf(murmur3(key)) * members.length)],
        hashOf: ({ key = '' }) => murmur3(key),
      }),
    };
    const pool = monitoredPool({ members: levels(4, 4), strategy });
    down(pool, 'p0a', 'p0b');
    const counts = tally(visits(pool, 10_000, keyed));
    for (const id of ['p0c', 'p0d']) expect(Math.abs((counts[id] ?? 0) / 10_000 - 0.35)).toBeLessThan(0.02);
    for (const id of ['p1a', 'p1b', 'p1c', 'p1d']) {
      expect(Math.abs((counts[id] ?? 0) / 10_000 - 0.075)).toBeLessThan(0.01);
    }
  });

  test('is placed by chance where it has nothing to be known by', () => {
    const pool = pooled(levels(2, 2), { strategy: byKey });
    down(pool, 'p0a');
    expect(tally(visits(pool, 100, () => ({})).map((id) => id.slice(0, 2)))).toEqual({ p0: 70, p1: 30 });
  });

  test('is not asked for by a strategy that was replaced while its level had nobody to serve', () => {
    const pool = pooled(levels(1, 2, 2), { strategy: byKey });
    visit(pool, keyed(1));
    down(pool, 'p0a', 'p1a');
    pool.update({ strategy: 'round-robin' });
    // The old picker of the first level would send this client to one level, always.
    expect(tally(visits(pool, 100, () => keyed(1)).map((id) => id.slice(0, 2)))).toEqual({ p1: 70, p2: 30 });
  });

  test('keeps its level with a strategy whose hash is not an integer', () => {
    const odd: Strategy = {
      name: 'odd',
      prepare: (members) => ({ pick: () => members[0], hashOf: ({ key = '0' }) => Number(key) / 7 - 1e12 }),
    };
    const pool = monitoredPool({ members: levels(2, 1), strategy: odd });
    down(pool, 'p0a');
    const ids = visits(pool, 50, (number) => ({ key: `${number}` }));
    expect(visits(pool, 50, (number) => ({ key: `${number}` }))).toEqual(ids);
  });
});

describe('whatever happens to the members', () => {
  const change = fc.record({
    do: fc.constantFrom('down', 'up', 'priority', 'weight', 'disable', 'enable', 'backup', 'remove', 'add', 'drain'),
    nth: fc.nat(11),
    value: fc.nat(3),
  });

  /** What the levels' healths amount to, worked out from what the members say of themselves. */
  function expectedShares(pool: Pool): Record<string, number> {
    for (const backup of [false, true]) {
      const members = pool.members.filter((member) => member.backup === backup);
      const isHealthy = ({ status }: Member) => status === 'online';
      if (!members.some(isHealthy)) continue;
      const priorities = [...new Set(members.map(({ priority }) => priority))].toSorted();
      const healths = priorities.map((priority) => {
        const inService = members.filter(
          (member) => member.priority === priority && member.enabled && member.weight > 0 && !draining.has(member),
        );
        return { inService: inService.length, healthy: inService.filter(isHealthy).length, unchecked: 0 };
      });
      const { loads } = planPriorities(healths, 140, undefined);
      return Object.fromEntries(priorities.flatMap((at, index) => (loads[index] ? [[`${at}`, loads[index]]] : [])));
    }
    return { 'no-eligible-member': 100 };
  }
  const draining = new Set<Member>();

  test('clients spread over the levels as planned', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const pool = pooled([...levels(2, 2), spec('b', { backup: true })]);
        draining.clear();
        let names = 0;
        for (const { do: what, nth, value } of changes) {
          const member = pool.members[nth % Math.max(1, pool.members.length)];
          if (what === 'add') pool.add(spec(`m${names++}`, { priority: value, backup: nth === 0 }));
          if (member === undefined) continue;
          if (what === 'down') down(pool, member.id);
          if (what === 'up') up(pool, member.id);
          if (what === 'priority') member.update({ priority: value });
          if (what === 'weight') member.update({ weight: value });
          if (what === 'disable') member.update({ enabled: false });
          if (what === 'enable') member.update({ enabled: true });
          if (what === 'enable') draining.delete(member);
          if (what === 'backup') member.update({ backup: value === 0 });
          if (what === 'remove') member.remove();
          if (what === 'drain') void member.drain();
          if (what === 'drain') draining.add(member);
          expect(shares(pool)).toEqual(expectedShares(pool));
        }
      }),
      { seed: 21, numRuns: 100 },
    );
  });

  test('a pool with one level draws no chance for it', () => {
    let draws = 0;
    const random = () => {
      draws++;
      return 0.5;
    };
    const pool = makePool({ members: levels(3) }, { random });
    visits(pool, 10, client);
    expect(draws).toBe(0);
  });
});
