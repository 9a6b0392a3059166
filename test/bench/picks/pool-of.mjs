import { createPool, systemClock } from 'evenkeel';
import { seeded } from '../seeded.mjs';
import { memberAddresses, memberWeights } from './fixtures.mjs';
import { strategyOf } from './strategy-of.mjs';

/**
 * What a strategy's members must be like for it to have anything to do: fields of theirs, settings of their pool, and what happens to it
 * before it is measured.
 */
const situations = {
  none: {},
  'one connection each': { fields: () => ({ maxConnections: 1 }) },
  'loads told': { before: tellLoads },
  // What adapts to how much there is to do takes it for a thousandth.
  'hardly any traffic': { environment: { clock: { ...systemClock, now: () => 1000 * systemClock.now() } } },
  'a tenth near': { fields: (n) => ({ zone: n % 10 === 0 ? 'near' : 'far' }) },
  'a tenth warming up': { count: (members) => Math.ceil(0.9 * members), before: addRest },
  'half of the first level down': {
    fields: (n) => ({ priority: n & 1 }),
    settings: { healthMonitor: { type: 'tcp' } },
    before: failHalf,
  },
};

/** The pool of an order, ready to pick. */
export function poolOf({ strategy, isWeighted = false, members, situation = 'none', memberFields, settings }) {
  const { count = (all) => all, before, environment, ...own } = situations[situation];
  const weights = memberWeights(members, isWeighted);
  const specs = memberAddresses(members).map((address, n) => ({
    address,
    port: 80,
    weight: weights[n],
    ...memberFields,
    ...own.fields?.(n),
  }));
  const spec = { name: 'bench', strategy: strategyOf(strategy), members: specs.slice(0, count(members)) };
  const pool = createPool({ ...spec, ...settings, ...own.settings }, environment);
  before?.(pool, specs);
  return pool;
}

function tellLoads(pool) {
  const random = seeded(13);
  // A strategy hears what is told once it is prepared, and goes by it when it is prepared again.
  pool.acquire().release();
  for (const member of pool.members) member.reportLoad({ utilization: 0.1 + 0.8 * random(), requestsPerSecond: 100 });
  for (const enabled of [false, true]) pool.members[0].update({ enabled });
}

/** Members that come after the first client are those that warm up. */
function addRest(pool, specs) {
  pool.acquire().release();
  pool.update({ members: specs });
}

function failHalf(pool) {
  for (const [n, member] of pool.members.entries()) if (n % 4 === 0) pool.recordCheck(member, false, 'is down');
}
