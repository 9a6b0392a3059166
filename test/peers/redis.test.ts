import { expect, test } from 'vitest';
import { run } from '../fixtures/node/program.ts';
import { Redis } from '../fixtures/node/redis.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { until } from '../fixtures/node/until.ts';

test('redis-benchmark runs through a virtual IP, and both of its Redis servers serve', async () => {
  await using first = await Redis.start();
  await using second = await Redis.start();
  await using scene = await Scene.open({
    members: [
      { id: 'first', ...first.member },
      { id: 'second', ...second.member },
    ],
    healthMonitor: { type: 'tcp', delay: 100 },
  });
  await until(() => scene.memberStatuses === 'online,online', 'both are checked');
  if (!('port' in scene.place)) throw new Error('no port');
  const { host, port } = scene.place;
  const options = ['-n', '20000', '-c', '50', '-q', '-t', 'ping,set,get'];
  const args = ['-h', host, '-p', String(port), ...options];
  const { code, output, errors } = await run('redis-benchmark', args, 'redis-tools');
  expect(output + errors).not.toMatch(/error|warning|could not/i);
  expect(code).toBe(0);
  for (const name of ['PING_INLINE', 'PING_MBULK', 'SET', 'GET']) {
    expect(output).toMatch(new RegExp(`${name}: [\\d.]+ requests per second`));
  }
  await scene.isAtRest();
  const { first: one = 0, second: two = 0 } = scene.shares;
  expect(one + two).toBeGreaterThanOrEqual(200);
  expect(Math.abs(one - two)).toBeLessThanOrEqual(1);
  expect(scene.vip.stats).toMatchObject({ connectFailures: 0, retries: 0, rejects: 0 });
  expect(scene.vip.stats.bytesIn).toBeGreaterThan(1_000_000);
  expect(scene.statuses).toEqual([]);
});
