import { describe, expect, test } from 'vitest';
import { createVip } from '../../src/index.ts';
import { listen } from '../../src/node/index.ts';
import { groups } from './rows.ts';
import { Stage, type StartProxy } from './stage.ts';

const ours = { 'X-Forwarded-For': true, 'X-Forwarded-Port': true, 'X-Forwarded-Proto': true, Forwarded: true };

const start: StartProxy = async ({ member, inserts }) => {
  const vip = createVip({
    address: '127.0.0.1',
    port: 0,
    protocol: 'http',
    ...(inserts && { insertHeaders: ours }),
    pool: { members: [`${member.host}:${member.port}`] },
  });
  const listener = await listen(vip);
  const { address } = listener;
  if (address === null || typeof address === 'string') throw new Error('it listens on a port');
  return {
    place: { host: '127.0.0.1', port: address.port },
    close: () => listener.close({ deadline: 0 }),
  };
};

test('every row has an id of its own', () => {
  const ids = groups.flatMap(({ rows }) => rows.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
});

for (const { title, rows } of groups) {
  describe(title, () => {
    for (const { title: sentence, needs, run } of rows) {
      test.concurrent(sentence, async () => {
        const options = { inserts: needs === 'insertion', patience: 10_000, isExact: true };
        await using stage = await Stage.open(start, options);
        await run(stage);
      });
    }
  });
}
