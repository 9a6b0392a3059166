import { describe, expect, test } from 'vitest';
import { utilization } from '../../../src/index.ts';
import { leavesNothing } from '../../fixtures/node/aftermath.ts';
import { HttpClient, tally } from '../../fixtures/node/http/client.ts';
import { HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';
import { until } from '../../fixtures/node/until.ts';

/** Counts a report at once, and looks as often as one may. */
const atOnce = utilization({ blackout: 0, updatePeriod: 100 });

/** Has a member tell its load with each answer. */
function reports(fleet: HttpFleet, name: string, metrics: string): void {
  fleet.of(name).does = (heard) => heard.answer(name, { fields: [`Endpoint-Load-Metrics: ${metrics}`] });
}

describe('members that tell their load in their answers', () => {
  test.each([
    ['text', 'TEXT cpu_utilization=0.2, rps_fractional=100', 'TEXT cpu_utilization=0.8, rps_fractional=100'],
    ['JSON', 'JSON {"cpu_utilization": 0.2, "rps_fractional": 100}', 'JSON {"cpuUtilization":0.8,"rpsFractional":100}'],
  ])('as %s get requests by it: with a quarter of the load four times as many', async (_, idle, busy) => {
    await using fleet = await HttpFleet.start(2);
    reports(fleet, 'm1', idle);
    reports(fleet, 'm2', busy);
    await using scene = await httpScene(fleet, { strategy: atOnce });
    using client = await HttpClient.connect(scene.place);
    await until(async () => {
      const { m1 = 0 } = await tally(() => client.ask('/'), 50);
      return m1 >= 39 && m1 <= 41;
    }, 'they get 40 and 10 of 50');
    client.end();
    await leavesNothing(scene, fleet);
  });

  test('follow it when it changes', async () => {
    await using fleet = await HttpFleet.start(2);
    await using scene = await httpScene(fleet, { strategy: atOnce });
    using client = await HttpClient.connect(scene.place);
    expect(await tally(() => client.ask('/'), 20)).toEqual({ m1: 10, m2: 10 });
    const shareOfM1 = async (): Promise<number> => (await tally(() => client.ask('/'), 40))['m1'] ?? 0;
    for (const [m1, m2, expected] of [
      [0.9, 0.3, 10],
      [0.3, 0.9, 30],
      [0.5, 0.5, 20],
    ] as const) {
      reports(fleet, 'm1', `TEXT cpu_utilization=${m1}, rps_fractional=50`);
      reports(fleet, 'm2', `TEXT cpu_utilization=${m2}, rps_fractional=50`);
      await until(async () => Math.abs((await shareOfM1()) - expected) <= 1, `m1 gets ${expected} of 40`);
    }
    client.end();
    await leavesNothing(scene, fleet);
  });

  test('that fail are taken to be busier than they say', async () => {
    await using fleet = await HttpFleet.start(2);
    reports(fleet, 'm1', 'TEXT cpu_utilization=0.25, rps_fractional=100, eps=75');
    reports(fleet, 'm2', 'TEXT cpu_utilization=0.25, rps_fractional=100');
    await using scene = await httpScene(fleet, { strategy: atOnce });
    using client = await HttpClient.connect(scene.place);
    // 100 / (0.25 + 0.75) to 100 / 0.25.
    await until(async () => {
      const { m1 = 0 } = await tally(() => client.ask('/'), 50);
      return m1 >= 9 && m1 <= 11;
    }, 'they get 10 and 40 of 50');
    client.end();
    await leavesNothing(scene, fleet);
  });

  test('that nobody can read, or of one member only, change nothing', async () => {
    await using fleet = await HttpFleet.start(3);
    reports(fleet, 'm1', 'JSON {"cpu_utilization": "much"');
    reports(fleet, 'm2', 'TEXT cpu_utilization=-1, rps_fractional=NaN');
    reports(fleet, 'm3', 'TEXT cpu_utilization=0.1, rps_fractional=100');
    await using scene = await httpScene(fleet, { strategy: atOnce });
    using client = await HttpClient.connect(scene.place);
    for (let batch = 0; batch < 5; batch++) {
      expect(await tally(() => client.ask('/'), 30)).toEqual({ m1: 10, m2: 10, m3: 10 });
    }
    client.end();
    await leavesNothing(scene, fleet);
  });

  test('that go and come keep what they told, and the others get their requests meanwhile', async () => {
    await using fleet = await HttpFleet.start(3);
    for (const [index, name] of ['m1', 'm2', 'm3'].entries()) {
      reports(fleet, name, `TEXT cpu_utilization=${(index + 1) / 5}, rps_fractional=60`);
    }
    await using scene = await httpScene(fleet, { strategy: atOnce });
    using client = await HttpClient.connect(scene.place);
    const served = (): Promise<Record<string, number>> => tally(() => client.ask('/'), 66);
    // 300 to 150 to 100.
    const isFair = async (): Promise<boolean> => {
      const { m1 = 0, m3 = 0 } = await served();
      return Math.abs(m1 - 36) <= 2 && Math.abs(m3 - 12) <= 2;
    };
    await until(isFair, 'they get 36, 18 and 12 of 66');
    scene.member('m1').update({ enabled: false });
    const meanwhile = await served();
    expect(meanwhile['m1']).toBeUndefined();
    scene.member('m1').update({ enabled: true });
    await until(isFair, 'they get 36, 18 and 12 of 66 again');
    client.end();
    await leavesNothing(scene, fleet);
  });
});
