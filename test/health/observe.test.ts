import { describe, expect, test } from 'vitest';
import type { Pool } from '../../src/core/pool.ts';
import type { HealthMonitorSpec } from '../../src/health/monitor-spec.ts';
import { memberOf, refusalOf, spec, takeFrom } from '../fixtures/core.ts';
import { fails, type Watched, watch } from '../fixtures/watched.ts';

/** Two members that pass their checks, and a monitor that observes. */
async function observed(monitor: Partial<HealthMonitorSpec>): Promise<Watched> {
  const watched = watch([spec('a'), spec('b', { port: 81 })], { delay: 10_000, fastDelay: 500, ...monitor });
  await watched.clock.advance(100);
  return watched;
}

function refuse(pool: Pool, times: number, id = 'a'): void {
  for (let turn = 0; turn < times; turn++) takeFrom(pool, id).release('failure');
}

function serve(pool: Pool, times = 1, status = 200): void {
  for (let turn = 0; turn < times; turn++) {
    const lease = takeFrom(pool, 'a');
    lease.connectedForRequest();
    lease.countRequest();
    lease.countResponse(status);
    lease.release('success');
  }
}

describe("with 'mark-down'", () => {
  const markDown = { observe: 'connect', onError: 'mark-down' } as const;

  test('nine failed connects in a row leave a member up, and ten take it down', async () => {
    const { pool, events } = await observed(markDown);
    refuse(pool, 9);
    expect(events).toEqual([]);
    refuse(pool, 1);
    expect(events).toEqual(['100 a online>error: 10 failures in a row']);
  });

  test('a connect that comes about starts the count anew, when it does and not when the connection ends', async () => {
    const { pool, events } = await observed(markDown);
    const old = takeFrom(pool, 'a');
    old.connected();
    refuse(pool, 9);
    const lease = takeFrom(pool, 'a');
    lease.connected();
    refuse(pool, 9);
    old.release('success');
    lease.release('success');
    expect(events).toEqual([]);
    refuse(pool, 1);
    expect(events.length).toBe(1);
  });

  test('a connection that ends badly is no failed connect', async () => {
    const { pool, events } = await observed({ ...markDown, errorLimit: 1 });
    const lease = takeFrom(pool, 'a');
    lease.connected();
    lease.release('failure');
    expect(events).toEqual([]);
  });

  test('what says nothing of the member counts neither way', async () => {
    const { pool, events } = await observed({ ...markDown, errorLimit: 2 });
    refuse(pool, 1);
    takeFrom(pool, 'a').release('ignored');
    takeFrom(pool, 'a').release('aborted');
    expect(events).toEqual([]);
    refuse(pool, 1);
    expect(events.length).toBe(1);
  });

  test('each member has a count of its own', async () => {
    const { pool, events } = await observed({ ...markDown, errorLimit: 2 });
    refuse(pool, 1, 'a');
    refuse(pool, 1, 'b');
    expect(events).toEqual([]);
  });

  test('checks bring it back, made within fastDelay at first', async () => {
    const { clock, pool, probe, events } = await observed(markDown);
    refuse(pool, 10);
    probe.checks.length = 0;
    await clock.advance(5000);
    expect(probe.timesOf('a').slice(0, 2)).toEqual([600, 1100]);
    expect(events.at(-1)).toBe('1100 a error>online: check passed');
  });

  test('a member that is down is kept down by more of it', async () => {
    const { clock, pool, probe } = await observed({ ...markDown, errorLimit: 1 });
    const leases = [takeFrom(pool, 'a'), takeFrom(pool, 'a')];
    probe.answer = fails('refused');
    leases[0]?.release('failure');
    await clock.advance(1000);
    leases[1]?.release('failure');
    expect(memberOf(pool, 'a').status).toBe('error');
  });

  test('health that starts anew has counted nothing', async () => {
    const { pool, events } = await observed({ ...markDown, errorLimit: 2 });
    refuse(pool, 1);
    memberOf(pool, 'a').update({ enabled: false });
    memberOf(pool, 'a').update({ enabled: true });
    events.length = 0;
    refuse(pool, 1);
    expect(events).toEqual([]);
  });
});

describe('what follows from too many failures', () => {
  test("is one failed check with 'fail-check', the default", async () => {
    const { pool, events } = await observed({ observe: 'connect', errorLimit: 2 });
    refuse(pool, 4);
    expect(events).toEqual([]);
    refuse(pool, 2);
    expect(events).toEqual(['100 a online>error: 2 failures in a row']);
  });

  test("is that one more takes it down with 'sudden-death'", async () => {
    const { clock, pool, probe, events } = await observed({
      observe: 'connect',
      errorLimit: 2,
      onError: 'sudden-death',
      maxRetriesDown: 5,
    });
    refuse(pool, 2);
    expect(events).toEqual([]);
    probe.answer = fails('refused');
    await clock.advance(500);
    expect(events).toEqual(['600 a online>error: refused']);
  });

  test("is no more than a check with 'fast-delay'", async () => {
    const { clock, pool, probe, events } = await observed({
      observe: 'connect',
      errorLimit: 2,
      onError: 'fast-delay',
      maxRetriesDown: 1,
    });
    refuse(pool, 2);
    probe.checks.length = 0;
    await clock.advance(499);
    expect(probe.timesOf('a')).toEqual([]);
    await clock.advance(1);
    expect([probe.timesOf('a'), events]).toEqual([[600], []]);
  });

  test('does not put off a check that comes sooner', async () => {
    const { clock, pool, probe } = await observed({ observe: 'connect', errorLimit: 1, onError: 'fast-delay' });
    await clock.advance(9600);
    refuse(pool, 1);
    probe.checks.length = 0;
    await clock.advance(300);
    expect(probe.timesOf('a')).toEqual([10_000]);
  });
});

describe("with an observe of 'request'", () => {
  const request = { observe: 'request', onError: 'mark-down', errorLimit: 3 } as const;

  test('answers of 500 and above in a row take a member down', async () => {
    const { pool, events } = await observed(request);
    serve(pool, 2, 500);
    serve(pool, 1, 404);
    serve(pool, 2, 503);
    expect(events).toEqual([]);
    serve(pool, 1, 502);
    expect(events).toEqual(['100 a online>error: 3 failures in a row']);
  });

  test('failed connects count, too', async () => {
    const { pool, events } = await observed(request);
    refuse(pool, 3);
    expect(events.length).toBe(1);
  });

  test("it is the pool's classify that says what a failure is", async () => {
    const { pool, events } = await observed(request);
    pool.update({ classify: ({ status }) => (status === 404 ? 'failure' : 'success') });
    serve(pool, 3, 500);
    expect(events).toEqual([]);
    serve(pool, 3, 404);
    expect(events.length).toBe(1);
  });
});

describe('without observe', () => {
  test('clients that fare badly change nothing', async () => {
    const { pool, events } = await observed({ maxRetriesDown: 1 });
    refuse(pool, 1000);
    expect(events).toEqual([]);
  });

  test('it can be switched off, and on again', async () => {
    const { pool, probe, events } = await observed({ observe: 'connect', errorLimit: 1, onError: 'mark-down' });
    const healthMonitor = { type: probe, delay: 10_000 };
    pool.update({ healthMonitor });
    refuse(pool, 5);
    expect(events).toEqual([]);
    pool.update({ healthMonitor: { ...healthMonitor, observe: 'connect', errorLimit: 1, onError: 'mark-down' } });
    refuse(pool, 1);
    expect(events.length).toBe(1);
  });

  test('errorLimit and onError mean nothing and are refused', () => {
    expect(refusalOf(() => watch([spec('a')], { errorLimit: 5 })).path).toBe('healthMonitor.errorLimit');
    expect(refusalOf(() => watch([spec('a')], { onError: 'mark-down' })).path).toBe('healthMonitor.onError');
  });
});
