import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { EvenkeelError } from '../../src/core/errors.ts';
import type { Persistence, PersistenceTable } from '../../src/persistence/persistence.ts';
import { client, equal, makePool, memberOf, spec, take, thrice, visit } from '../fixtures/core.ts';
import { fateOf, join, leaseOf, visitOrWait } from '../fixtures/waits.ts';

const sourceIp = { type: 'source-ip' } as const;

/** A persistence of a user's that notes all that it is told. */
class Diary implements Persistence {
  readonly name: string;
  readonly told: string[] = [];
  readonly timeout: number | undefined;
  find: PersistenceTable['find'] = () => undefined;
  keep: PersistenceTable['keep'] = (_, { id }) => void this.told.push(`keep ${id}`);
  previous: PersistenceTable | undefined;

  constructor(name = 'diary', timeout?: number) {
    this.name = name;
    this.timeout = timeout;
  }

  start(_: unknown, previous?: PersistenceTable): PersistenceTable {
    this.told.push('start');
    this.previous = previous;
    return {
      find: (request) => this.find(request),
      keep: (request, member) => this.keep(request, member),
      joined: ({ id }) => void this.told.push(`joined ${id}`),
      forget: ({ id }) => void this.told.push(`forget ${id}`),
      stop: () => void this.told.push('stop'),
    };
  }
}

function withDiary(diary = new Diary()) {
  const clock = new VirtualClock();
  const pool = makePool({ persistence: diary, members: equal(3) }, { clock });
  const errors: string[] = [];
  pool.on('persistence-error', ({ code, message, cause }: EvenkeelError) => {
    expect(code).toBe('ERR_EVENKEEL_PERSISTENCE');
    errors.push(`${message}: ${(cause as Error | undefined)?.message ?? String(cause)}`);
  });
  return { clock, pool, diary, errors };
}

const unsure = 'the persistence could not say where the client belongs';

describe("a user's persistence", () => {
  test('is told of the members that the pool has, gets and loses', () => {
    const { pool, diary } = withDiary();
    expect(diary.told.splice(0)).toEqual(['start', 'joined m0', 'joined m1', 'joined m2']);
    pool.remove('m1');
    pool.add(spec('m3'));
    pool.update({ members: equal(2) });
    expect(diary.told).toEqual(['forget m1', 'joined m3', 'forget m2', 'forget m3', 'joined m1']);
  });

  test('is told of a member only where the client gets another one than it said', () => {
    const { pool, diary } = withDiary();
    diary.told.length = 0;
    diary.find = () => 'm2';
    expect(thrice(pool)).toEqual(['m2', 'm2', 'm2']);
    expect(diary.told).toEqual([]);
    memberOf(pool, 'm2').update({ enabled: false });
    expect(visit(pool, client(1))).toBe('m0');
    expect(diary.told).toEqual(['keep m0']);
  });

  test('follows another one, which may carry on from what it was, and is stopped after that', () => {
    const { pool, diary } = withDiary();
    const next = new Diary('next');
    diary.told.length = 0;
    next.told.push = (...lines) =>
      Array.prototype.push.apply(
        diary.told,
        lines.map((line) => `next ${line}`),
      );
    pool.update({ persistence: next });
    expect(diary.told).toEqual(['next start', 'stop', 'next joined m0', 'next joined m1', 'next joined m2']);
    expect(next.previous).toBeDefined();
    pool.update({ persistence: null });
    expect(diary.told.at(-1)).toBe('next stop');
  });

  test('may go on with the table of the one before, which is not stopped, and knows the members', () => {
    const { pool, diary } = withDiary();
    diary.told.length = 0;
    const persistence: Persistence = {
      name: 'heir',
      start: (_, previous) => previous ?? { find: () => undefined, keep: () => {} },
    };
    pool.update({ persistence });
    visit(pool, client(1));
    expect([pool.persistence?.name, diary.told]).toEqual(['heir', ['keep m0']]);
  });

  test('that does not start changes nothing', () => {
    const { pool, diary } = withDiary();
    const broken: Persistence = {
      name: 'broken',
      start: () => {
        throw new Error('no store');
      },
    };
    expect(() => pool.update({ persistence: broken, strategy: 'first', members: [] })).toThrow('no store');
    const empty = { name: 'empty', start: () => undefined } as unknown as Persistence;
    expect(() => pool.update({ persistence: empty })).toThrow("the persistence 'empty' did not start");
    expect([pool.persistence, pool.strategy.name, pool.members.length]).toEqual([diary, 'round-robin', 3]);
    expect(diary.told).not.toContain('stop');
  });

  test.each([
    ['undefined', () => undefined],
    ['null, as stores say', () => null],
    ['the id of a member that is long gone', () => 'gone'],
    ['a promise, where nobody can wait', () => Promise.resolve('m2')],
  ])('may say %s: then the client is balanced', (_what, find) => {
    const { pool, diary, errors } = withDiary();
    diary.find = find as PersistenceTable['find'];
    expect(thrice(pool)).toEqual(['m0', 'm1', 'm2']);
    expect(errors).toEqual([]);
  });

  test('costs nobody anything by what it throws, or says that makes no sense', () => {
    const { pool, diary, errors } = withDiary();
    diary.find = () => {
      throw new Error('oops');
    };
    expect(visit(pool, client(1))).toBe('m0');
    diary.find = (() => ({ id: 'm2' })) as unknown as PersistenceTable['find'];
    expect(visit(pool, client(1))).toBe('m1');
    diary.find = () => undefined;
    diary.keep = () => {
      throw new Error('full');
    };
    expect(visit(pool, client(1))).toBe('m2');
    const lost = 'the persistence could not keep where the client belongs';
    expect(errors).toEqual([`${unsure}: oops`, `${unsure}: expected a member's id, and got object`, `${lost}: full`]);
  });

  test('may give anything back from keep', async () => {
    const { pool, diary, errors } = withDiary();
    diary.keep = (() => new Map()) as unknown as PersistenceTable['keep'];
    visit(pool, client(1));
    diary.keep = () => Promise.reject(new Error('late'));
    visit(pool, client(1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual(['the persistence could not keep where the client belongs: late']);
  });

  test('whose promise nobody waits for may break it', async () => {
    const { pool, diary, errors } = withDiary();
    diary.find = () => Promise.reject(new Error('the store is down'));
    expect(visit(pool, client(1))).toBe('m0');
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([`${unsure}: the store is down`]);
  });

  test('whose hooks throw is told of, and the pool goes on', () => {
    const grumpy = (): never => {
      throw new Error('no');
    };
    const table = { find: () => undefined, keep: () => {}, joined: grumpy, forget: grumpy, stop: grumpy };
    const { pool, errors } = withDiary();
    pool.update({ persistence: { name: 'grumpy', start: () => table } });
    pool.add(spec('m3'));
    pool.remove('m3');
    pool.update({ persistence: null });
    const told = ['joined', 'joined', 'joined', 'joined', 'forget', 'stop'];
    expect(errors).toEqual(told.map((hook) => `the persistence threw in ${hook}: no`));
    expect(pool.members.length).toBe(3);
  });

  test('may have counts that make no sense, or none', () => {
    const { pool } = withDiary();
    expect(pool.persistenceStats).toEqual({ name: 'diary', size: null, evicted: null, kept: 0, moved: 0 });
    const table = {
      find: () => undefined,
      keep: () => {},
      size: Number.NaN,
      get evicted(): number {
        throw new Error('no');
      },
    };
    pool.update({ persistence: { name: 'odd', start: () => table } });
    expect(pool.persistenceStats).toEqual({ name: 'odd', size: null, evicted: null, kept: 0, moved: 0 });
  });
});

/** A promise for each client that is looked up, in the test's hands. */
class SlowStore extends Diary {
  readonly asked: {
    readonly address: string;
    readonly resolve: (id?: string | null) => void;
    readonly reject: () => void;
  }[] = [];

  override find = (({ clientAddress = '' }) => {
    return new Promise<string | null | undefined>((resolve, reject) => {
      this.asked.push({ address: clientAddress, resolve, reject: () => reject(new Error('the store is down')) });
    });
  }) as PersistenceTable['find'];

  answer(number: number, id?: string | null): Promise<void> {
    this.asked[number]?.resolve(id);
    return new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a client that is looked up elsewhere', () => {
  const withStore = (timeout?: number) => {
    const store = new SlowStore('store', timeout);
    return { store, ...withDiary(store) };
  };

  test('waits, and gets the member that it is to meet again', async () => {
    const { store, pool } = withStore();
    const wait = join(pool, client(1));
    expect([fateOf(wait), pool.stats.activeConnections]).toEqual(['waits', 0]);
    await store.answer(0, 'm2');
    expect([fateOf(wait), leaseOf(wait).isKept]).toEqual(['m2', true]);
    expect(store.told).not.toContain('keep m2');
  });

  test.each([[undefined], [null], ['gone']])('is balanced where the store says %s', async (answer) => {
    const { store, pool, errors } = withStore();
    const wait = join(pool, client(1));
    await store.answer(0, answer);
    expect([fateOf(wait), leaseOf(wait).isKept, store.told.at(-1), errors]).toEqual(['m0', false, 'keep m0', []]);
  });

  test('keeps nobody else waiting', async () => {
    const { store, pool } = withStore();
    const slow = join(pool, client(1));
    const quick = join(pool, client(2));
    await store.answer(1, 'm1');
    expect([slow, quick].map(fateOf)).toEqual(['waits', 'm1']);
    store.find = () => 'm2';
    expect(visitOrWait(pool, client(3))).toBe('m2');
    await store.answer(0, 'm0');
    expect(fateOf(slow)).toBe('m0');
  });

  test('is balanced when the store is down', async () => {
    const { store, pool, errors } = withStore();
    const wait = join(pool, client(1));
    store.asked[0]?.reject();
    await store.answer(0);
    expect([fateOf(wait), errors]).toEqual(['m0', [`${unsure}: the store is down`]]);
  });

  test.each([
    ['a second', undefined, 1000],
    ['the timeout', 50, 50],
  ])(
    'is balanced when there is no answer within %s, and one that comes late is of no use',
    async (_, timeout, time) => {
      const { store, pool, clock, errors } = withStore(timeout);
      const wait = join(pool, client(1));
      await clock.advance(time - 1);
      expect(fateOf(wait)).toBe('waits');
      await clock.advance(1);
      expect([fateOf(wait), errors]).toEqual(['m0', [`${unsure}: no answer within ${time} ms`]]);
      await store.answer(0, 'm2');
      expect([fateOf(wait), pool.stats.activeConnections, clock.pending]).toEqual(['m0', 1, 0]);
    },
  );

  test.each(['the answer', 'the rejection', 'the timeout'])('may leave before %s', async (what) => {
    const { store, pool, clock, errors } = withStore();
    const wait = join(pool, client(1));
    wait.cancel();
    if (what === 'the rejection') store.asked[0]?.reject();
    else if (what === 'the timeout') await clock.advance(5000);
    await store.answer(0, 'm2');
    expect([fateOf(wait), pool.stats.activeConnections, clock.pending, errors]).toEqual(['waits', 0, 0, []]);
  });

  test('queues where every member is full by then', async () => {
    const { store, pool } = withStore();
    pool.update({ queue: { limit: 1 }, members: [spec('m0', { maxConnections: 1 })] });
    const waits = [join(pool, client(1)), join(pool, client(2)), join(pool, client(3))];
    for (const number of [2, 1, 0]) await store.answer(number, 'm0');
    expect(waits.map(fateOf)).toEqual(['queue-full', 'waits', 'm0']);
    leaseOf(waits[2] as (typeof waits)[0]).release();
    expect(waits.map(fateOf)).toEqual(['queue-full', 'm0', 'm0']);
    expect(leaseOf(waits[1] as (typeof waits)[0]).isKept).toBe(true);
  });

  test('is refused where the pool serves nobody by then', async () => {
    const { store, pool } = withStore();
    const waits = [join(pool, client(1)), join(pool, client(2))];
    pool.update({ members: [] });
    await store.answer(0, 'm0');
    pool.update({ enabled: false });
    await store.answer(1, 'm0');
    expect(waits.map(fateOf)).toEqual(['no-eligible-member', 'disabled']);
    expect(pool.stats.rejects).toBe(2);
  });

  test('is remembered by the persistence that the pool has by then', async () => {
    const { store, pool } = withStore();
    const wait = join(pool, client(1));
    pool.update({ persistence: sourceIp });
    await store.answer(0);
    const { member } = leaseOf(wait);
    expect([take(pool, client(1)).member, take(pool, client(1)).isKept]).toEqual([member, true]);
  });

  test('hears of a promise that is kept at once, too', async () => {
    const { store, pool } = withStore();
    // biome-ignore lint/suspicious/noThenProperty: it is one
    store.find = () => ({ then: (done: (id: string) => void) => done('m2') }) as PromiseLike<string>;
    const wait = join(pool, client(1));
    const told: string[] = [];
    wait.whenOver = () => told.push(fateOf(wait));
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(['m2']);
  });

  test('that throws when it is told, or whose strategy does, costs nobody else anything', async () => {
    const { store, pool } = withStore();
    const strategyErrors: string[] = [];
    pool.on('strategy-error', ({ cause }) => strategyErrors.push((cause as Error).message));
    const wait = join(pool, client(1));
    wait.whenOver = () => {
      throw new Error('told');
    };
    await store.answer(0);
    const prepare = () => ({
      pick: () => {
        throw new Error('picked');
      },
    });
    pool.update({ strategy: { name: 'thrower', prepare } });
    const second = join(pool, client(2));
    await store.answer(1);
    expect([strategyErrors, fateOf(second)]).toEqual([['told', 'picked'], 'none-picked']);
  });
});
