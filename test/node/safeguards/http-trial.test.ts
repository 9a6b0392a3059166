import { describe, expect, test } from 'vitest';
import { poolStatus } from '../../../src/core/report.ts';
import { brief } from '../../fixtures/node/ejections.ts';
import { HttpClient } from '../../fixtures/node/http/client.ts';
import { answers, answers503, ejecting } from '../../fixtures/node/http/ejecting.ts';
import { bodyOf } from '../../fixtures/node/http/load.ts';
import type { Handler } from '../../fixtures/node/http/member.ts';
import { atOnce, oneByOne } from '../../fixtures/node/repeat.ts';
import { until } from '../../fixtures/node/until.ts';

describe('a member that is back on trial', () => {
  const onTrial = { ...brief, halfOpen: 1 };

  test('gets one client at a time, and all when that one was served', async () => {
    await using stage = await ejecting(3, answers503, { outlierDetection: onTrial });
    const { scene, bad } = stage;
    await stage.fates(9);
    const asked = bad.requests.length;
    bad.does = () => {};
    await stage.ejections.until('m3 back: time, on trial');
    expect(scene.member('m3').circuit?.isHalfOpen).toBe(true);
    expect(poolStatus(scene.pool).outlierDetection).toEqual({ ejected: 0, onTrial: 1 });
    const clients = await atOnce(12, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await bad.request(asked + 1);
    const others = await oneByOne(20, () => bodyOf(scene.place));
    expect(others).not.toContain('m3');
    expect(bad.requests).toHaveLength(asked + 1);
    bad.does = answers;
    bad.requests[asked]?.answer();
    await stage.ejections.until('m3 passed');
    for (const client of clients) expect((await client.answer()).status).toBe(200);
    expect(await stage.served(30)).toEqual({ m1: 10, m2: 10, m3: 10 });
    for (const client of clients) client.end();
    await stage.ends();
  });

  test('is ejected again by the first failure, which is all that it costs', async () => {
    await using stage = await ejecting(3, answers503, { outlierDetection: onTrial });
    await stage.fates(9);
    await stage.ejections.until('m3 back: time, on trial');
    expect(await stage.fates(6)).toEqual({ 200: 5, 503: 1 });
    expect(stage.ejections.heard.at(2)).toBe('m3 ejected: failed-trial');
    expect(stage.ejections.durations).toEqual([100, 200]);
    await stage.ends();
  });

  test('costs nobody anything where the request can be sent again', async () => {
    await using stage = await ejecting(3, (heard) => heard.wire.reset(), { outlierDetection: onTrial });
    await stage.fates(9);
    await stage.ejections.until('m3 back: time, on trial');
    expect(await stage.fates(6)).toEqual({ 200: 6 });
    expect(stage.ejections.heard).toContain('m3 ejected: failed-trial');
    await stage.ends();
  });

  test('passes with the head of an answer that goes on, and with an upgrade', async () => {
    await using stage = await ejecting(2, answers503, { outlierDetection: onTrial });
    const { scene, bad } = stage;
    const passes: readonly Handler[] = [
      (heard) => heard.say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nand so on'),
      (heard) => heard.switch(),
    ];
    for (const [round, does] of passes.entries()) {
      bad.does = answers503;
      await stage.fates(6);
      await stage.ejections.until('m2 back: time, on trial', round + 1);
      bad.does = does;
      const clients = await oneByOne(2, async () => {
        const client = await HttpClient.connect(scene.place);
        client.request('/', { fields: ['Connection: Upgrade', 'Upgrade: echo'] });
        await client.answerBegun();
        return client;
      });
      await stage.ejections.until('m2 passed', round + 1);
      for (const client of clients) client.reset();
      await until(() => scene.pool.stats.activeConnections === 0, 'they are gone');
    }
    await stage.ends();
  });

  test('stays on trial where the client leaves', async () => {
    await using stage = await ejecting(2, answers503, { outlierDetection: onTrial });
    const { scene, bad } = stage;
    await stage.fates(6);
    const asked = bad.requests.length;
    bad.does = () => {};
    await stage.ejections.until('m2 back: time, on trial');
    const clients = await oneByOne(2, () => HttpClient.connect(scene.place));
    for (const client of clients) client.request('/');
    await bad.request(asked + 1);
    for (const client of clients) client.reset();
    await until(() => scene.member('m2').stats.activeConnections === 0, 'it has left');
    expect(scene.member('m2').circuit?.isHalfOpen).toBe(true);
    bad.does = answers;
    await stage.served(2);
    expect(stage.ejections.heard.at(-1)).toBe('m2 passed');
    await stage.ends();
  });
});
