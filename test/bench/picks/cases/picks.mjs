/** How many members a pool has; and those sizes at which is measured what only compares, or needs no more than a look. */
export const sizes = [10, 100, 1000, 10_000, 100_000];
const fewSizes = [10, 1000, 100_000];
const quickSizes = [10, 100_000];

export const families = ['by turns and by chance', 'by load', 'by key', 'round-robin in wrappers and levels'];
const [byTurns, byLoad, byKey, wrapped] = families;

const equal = 'equal weights';
const unequal = 'weights 1 to 256';
const either = [equal, unequal];

const patterns = {
  '': { inFlight: () => 0, sizes },
  '64 held': { inFlight: () => 64, sizes: fewSizes },
  /** Half as many leases as members are held: half of the members are busy, and an order of them is all but trivial. */
  'n/2 held': { inFlight: (members) => members / 2, sizes },
};
const atOnce = [''];
const halfHeld = ['', 'n/2 held'];

/** Each strategy; how it is written where its name is not enough; and the packages that do the same or come closest. */
const strategies = [
  {
    name: 'round-robin',
    family: byTurns,
    patterns: ['', '64 held'],
    peers: { [equal]: ['loadbalance RoundRobinEngine'], [unequal]: ['loadbalance WeightedRoundRobinEngine'] },
  },
  {
    name: 'random',
    family: byTurns,
    peers: {
      [equal]: ['load-balancers RandomBalancer', 'loadbalance RandomEngine'],
      [unequal]: ['loadbalance WeightedRandomEngine'],
    },
  },
  { name: 'first', family: byTurns, weights: [equal], patterns: halfHeld, situation: 'one connection each' },
  { name: 'least-connections', family: byLoad, patterns: Object.keys(patterns) },
  { name: 'power-of-two', family: byLoad, patterns: halfHeld, peers: { [equal]: ['load-balancers P2cBalancer'] } },
  { name: 'peak-ewma', family: byLoad, patterns: halfHeld },
  {
    name: 'peak-ewma',
    variant: 'all timed',
    family: byLoad,
    weights: [equal],
    situation: 'hardly any traffic',
    isJudged: false,
  },
  { name: 'least-time', family: byLoad, patterns: halfHeld },
  {
    name: 'utilization',
    family: byLoad,
    weights: [equal],
    strategy: { make: 'utilization', options: { blackout: 0 } },
    situation: 'loads told',
  },
  { name: 'source-ip', family: byKey, isHeavy: true, peers: { [equal]: ['hashring HashRing'] } },
  { name: 'source-ip-port', family: byKey, weights: [equal] },
  { name: 'ring-hash', family: byKey, isHeavy: true },
  {
    name: 'ring-hash',
    variant: 'ketama',
    family: byKey,
    isHeavy: true,
    weights: [equal],
    strategy: { make: 'ringHash', options: { placement: 'ketama' } },
  },
  { name: 'maglev', family: byKey },
  {
    name: 'maglev',
    variant: 'maxLoadFactor 125',
    family: byKey,
    weights: [equal],
    patterns: ['n/2 held'],
    strategy: { make: 'maglev', options: { maxLoadFactor: 125 } },
  },
  { name: 'rendezvous', family: byKey, isLinear: true },
  ...[
    { name: 'slow-start', variant: 'warm', make: 'slowStart', options: { window: 600_000 } },
    {
      name: 'slow-start',
      variant: 'warming up',
      make: 'slowStart',
      options: { window: 600_000 },
      situation: 'a tenth warming up',
    },
    {
      name: 'zone-preference',
      make: 'zonePreference',
      options: { zone: 'near' },
      situation: 'a tenth near',
    },
    { name: 'subset', variant: 'named', make: 'subset', options: { size: 20, client: 'bench' } },
    { name: 'subset', variant: 'numbered', make: 'subset', options: { size: 20, client: { index: 3, of: 1000 } } },
  ].map(({ make, options, ...row }) => ({
    ...row,
    family: wrapped,
    weights: [equal],
    strategy: { make, around: 'round-robin', options },
  })),
  {
    name: 'priorities',
    family: wrapped,
    weights: [equal],
    strategy: 'round-robin',
    situation: 'half of the first level down',
  },
];

/** Rows of a table: `order` is what `one.mjs` takes; `isLinear`: need not be fast with many members; `isJudged`: has to keep to targets. */
export function pickRows({ quick }) {
  const rows = strategies.flatMap(rowsOf);
  return quick ? rows.filter(({ isQuick }) => isQuick).map((row) => ({ ...row, sizes: quickSizes })) : rows;
}

function rowsOf({
  name,
  variant,
  family,
  isLinear = false,
  isJudged = true,
  weights = either,
  patterns: wanted = atOnce,
  peers = {},
  ...how
}) {
  const { strategy = name, situation, isHeavy = false } = how;
  const series = variant === undefined ? name : `${name}, ${variant}`;
  return weights.flatMap((weight) => [
    ...wanted.map((pattern) => ({
      label: [series, ...(weights.length > 1 ? [weight] : []), ...(pattern === '' ? [] : [pattern])].join(', '),
      name,
      series,
      isPeer: false,
      family,
      isLinear,
      isJudged,
      sizes: patterns[pattern].sizes,
      isQuick: pattern === wanted[0] && weight === weights[0],
      order: (members) => ({
        module: 'picks/evenkeel',
        strategy,
        situation,
        isWeighted: weight === unequal,
        isKeyed: family === byKey,
        members,
        inFlight: patterns[pattern].inFlight(members),
        // The largest tables take seconds: `tables.mjs` has figures of theirs.
        prepares: pattern === '' && fewSizes.includes(members) && !(isHeavy && members === sizes.at(-1)),
        alone: members === sizes.at(-1) && family !== wrapped,
      }),
    })),
    ...(peers[weight] ?? []).map((peer) => ({
      label: `_${peer}_`,
      name,
      isPeer: true,
      sizes: fewSizes,
      isQuick: true,
      order: (members) => ({ module: 'picks/peers', peer, members }),
    })),
  ]);
}
