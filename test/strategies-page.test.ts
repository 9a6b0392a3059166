import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as evenkeel from '../src/index.ts';

const page = readFileSync(new URL('../docs/strategies.md', import.meta.url), 'utf8');

/** What the page says below each heading, up to the next one. */
const entries = new Map(
  page
    .split(/^#{2,3} /m)
    .slice(1)
    .map((entry) => [entry.slice(0, entry.indexOf('\n')), entry]),
);
const blocks = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code);
const isSetting = (code: string): boolean => code.startsWith('strategy: ');

/** Who makes the strategy of an entry; those without options are not asked. */
const makers: Readonly<Record<string, (options: object) => unknown>> = {
  'round-robin': evenkeel.roundRobin,
  'least-connections': evenkeel.leastConnections,
  'power-of-two': evenkeel.powerOfTwo,
  'peak-ewma': evenkeel.peakEwma,
  'least-time': evenkeel.leastTime,
  utilization: evenkeel.utilization,
  'source-ip, source-ip-port': evenkeel.sourceIp,
  'ring-hash': evenkeel.ringHash,
  maglev: evenkeel.maglev,
  rendezvous: evenkeel.rendezvous,
  'slow-start': (options) => evenkeel.slowStart('random', options as evenkeel.SlowStartOptions),
  'zone-preference': (options) => evenkeel.zonePreference('random', options as evenkeel.ZonePreferenceOptions),
  subset: (options) => evenkeel.subset('random', options as evenkeel.SubsetOptions),
};

const members = Array.from({ length: 8 }, (_, n) => `10.0.0.${n + 1}:80`);

/** Runs code of the page, which may use all that the package exports and what its examples take for granted. */
function run(code: string, given: object = {}): unknown {
  const scope = { ...evenkeel, members, ...given };
  return new Function(...Object.keys(scope), code)(...Object.values(scope));
}

describe('the page of the strategies', () => {
  test.for(evenkeel.strategyNames)('has an entry for %s, and names it when it is to be chosen', (name) => {
    expect([...entries.keys()].some((title) => title.split(', ').includes(name))).toBe(true);
    expect(page).toMatch(new RegExp(`^\\| \\[\`${name}\`\\]\\(#`, 'm'));
  });

  test.for(Object.entries(makers))('lists the options that %s has', ([title, make]) => {
    const [, table = ''] = /^\| option .*\n\|[- |]+\n((?:\|.*\n)+)/m.exec(entries.get(title) ?? '') ?? [];
    const options = table.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)]);
    const names = options.map(([, name = '']) => name).sort();
    let known: string[] = [];
    try {
      make({ nothing: 0 });
    } catch (error) {
      known = (error as evenkeel.SpecError).expected
        .replace(/.* there are /, '')
        .split(', ')
        .sort();
    }
    expect(names).toEqual(known);
  });

  test.for(blocks.filter(isSetting).flatMap((code) => code.trim().split('\n')))('%s picks', (line) => {
    const strategy = run(`return { ${line.replace(/ \/\/.*/, '')} }.strategy`) as evenkeel.Strategy;
    const pool = evenkeel.createPool({ name: 'pool', members, strategy });
    expect(pool.acquire({ clientAddress: '192.0.2.1', clientPort: 4000 }).refused).toBe(false);
  });

  test.for(blocks.filter((code) => !isSetting(code)))('%s runs', (code) => {
    const pool = evenkeel.createPool({ name: 'pool', members });
    expect(() => run(code, code.includes('const pool') ? {} : { pool, member: pool.members[0] })).not.toThrow();
  });

  test('leads to entries that there are', () => {
    const anchors = [...entries.keys()].map((title) =>
      title
        .toLowerCase()
        .replaceAll(' ', '-')
        .replaceAll(/[^\w-]/g, ''),
    );
    for (const [, anchor] of page.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
  });
});
