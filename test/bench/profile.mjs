import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchHttp } from './http.mjs';
import { benchLayer4 } from './layer4.mjs';
import { median } from './median.mjs';
import { table } from './page/table.mjs';
import { scratchFolder } from './processes/scratch.mjs';
import { benchTcp } from './tcp.mjs';
import { benchTls } from './tls.mjs';

/** Where a missed target's time goes, by V8's sampling profiler, in runs of their own: the profiler costs, so figures are not compared with others. */
const shown = 16;
/** Any of these says that the first client is there, and the start of the program, which does not count, is over. */
const serving = [
  'onconnection (node:net)',
  'internalConnect (node:net)',
  'onStreamRead (node:internal/stream_base_commons)',
];
const isServing = (place) => serving.includes(place);
/** Microseconds at the end of a pick's profile in which there is nothing but rounds: no members made, no strategy prepared. */
const lastRounds = 900_000;

const evenkeel = { name: 'evenkeel', label: 'evenkeel', profile: 'evenkeel' };
/** Whom each benchmark holds against whom: contestants, and what their profiles are named after. */
const beside = {
  tcp: { bench: benchTcp, own: evenkeel, floor: { name: 'bare', label: 'bare relay', profile: 'bare-relay' } },
  layer4: {
    bench: benchLayer4,
    own: { name: 'all', label: 'all', profile: 'all' },
    floor: { name: 'none', label: 'none', profile: 'none' },
  },
  tls: {
    bench: benchTls,
    own: { ...evenkeel, profile: 'evenkeel-tls' },
    floor: { name: 'bare', label: 'bare relay', profile: 'tls-relay' },
  },
};

/**
 * Two contestants: the functions in which their times differ most.
 *
 * @param {keyof typeof beside} part
 */
export async function profileBeside(part, workload, options) {
  const { bench, own, floor } = beside[part];
  const folder = scratchFolder();
  const only = [floor.name, own.name];
  const { results } = await bench({ ...options, only, workloads: [workload], cpuProfiles: folder });
  const [{ unit, rows }] = results;
  const failed = rows.find((row) => row.failed !== undefined);
  if (failed !== undefined) return `${failed.label} fails: ${failed.failed}.`;
  const costOf = ({ name }) => median(rows.find((row) => row.name === name).figures);
  const [ownCost, floorCost] = [costOf(own), costOf(floor)];
  const timesOf = ({ profile }) => selfTimes(join(folder, `${profile}.cpuprofile`), isServing);
  const [ownTimes, floorTimes] = [timesOf(own), timesOf(floor)];
  const costs = [...new Set([...ownTimes.keys(), ...floorTimes.keys()])].map((place) => {
    return { place, own: (ownTimes.get(place) ?? 0) * ownCost, floor: (floorTimes.get(place) ?? 0) * floorCost };
  });
  costs.sort((a, b) => Math.abs(b.own - b.floor) - Math.abs(a.own - a.floor));
  const line = (place, a, b) => [place, a.toFixed(2), b.toFixed(2), (a - b).toFixed(2)];
  return table(
    [`${unit}, self time`, own.label, floor.label, 'difference'],
    [
      ...costs.slice(0, shown).map((each) => line(each.place, each.own, each.floor)),
      line('all functions', ownCost, floorCost),
    ],
  );
}

/** evenkeel alone: the functions in which it spends most. */
export async function profileHttp(workload, options) {
  const folder = scratchFolder();
  const { results } = await benchHttp({
    ...options,
    only: ['evenkeel'],
    workloads: [workload],
    quick: true,
    cpuProfiles: folder,
  });
  const [{ rounds, failed }] = results[0].rows;
  if (rounds === undefined) return `It fails: ${failed}.`;
  const cost = median(rounds.map(({ full }) => full.cpu));
  const costs = [...selfTimes(join(folder, 'evenkeel.cpuprofile'), isServing)]
    .sort(([, a], [, b]) => b - a)
    .map(([place, share]) => [place, share * cost]);
  return table(
    ['CPU µs per request, self time', 'evenkeel'],
    [...costs.slice(0, shown), ['all functions', cost]].map(([place, microseconds]) => [
      place,
      microseconds.toFixed(2),
    ]),
  );
}

/** The functions that a pick's time is spent in. */
export function profilePick(order, { node }) {
  const folder = scratchFolder();
  const program = fileURLToPath(new URL('apart/one.mjs', import.meta.url));
  const given = JSON.stringify({ ...order, prepares: false, rounds: 10, milliseconds: 100 });
  spawnSync(
    node,
    ['--expose-gc', '--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${folder}`, program, given],
    {
      timeout: 60_000,
    },
  );
  const [file] = readdirSync(folder);
  if (file === undefined) return 'It does not end in time to be profiled.';
  const shares = [...selfTimes(join(folder, file), (_, until) => until <= lastRounds)]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 8);
  return table(
    ['function', 'share of CPU'],
    shares.map(([place, share]) => [place, `${(100 * share).toFixed(0)} %`]),
  );
}

/**
 * Each function's share of the time in which the process was not idle; what the compiler inlined counts as its caller's.
 *
 * @param begins whether what counts begins with a sample, by its function and the microseconds from it to the end
 */
function selfTimes(file, begins) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const times = new Map();
  let total = 0;
  let until = timeDeltas.reduce((sum, delta) => sum + delta, 0);
  const first = samples.findIndex((id, n) => {
    until -= timeDeltas[n];
    return begins(places.get(id), until);
  });
  for (let n = Math.max(0, first); n < samples.length; n++) {
    const place = places.get(samples[n]);
    if (place === '(idle)') continue;
    times.set(place, (times.get(place) ?? 0) + timeDeltas[n]);
    total += timeDeltas[n];
  }
  return new Map([...times].map(([place, time]) => [place, time / total]));
}

function placeOf({ functionName, url }) {
  const name = functionName === '' ? '(anonymous)' : functionName;
  const file = url
    .split('/')
    .slice(url.startsWith('node:') ? 0 : -2)
    .join('/');
  return file === '' ? name : `${name} (${file})`;
}
