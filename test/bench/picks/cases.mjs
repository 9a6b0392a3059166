export const sizes = [10, 1000, 100_000];

const equal = 'equal weights';
const unequal = 'weights 1 to 256';

/** Each strategy, and the packages that do the same or come closest. */
const strategies = [
  { strategy: 'round-robin', weights: equal, peers: ['loadbalance RoundRobinEngine'] },
  { strategy: 'round-robin', weights: unequal, peers: ['loadbalance WeightedRoundRobinEngine'] },
  { strategy: 'least-connections', weights: equal, peers: ['load-balancers P2cBalancer'] },
  { strategy: 'least-connections', weights: unequal, peers: [] },
  { strategy: 'random', weights: equal, peers: ['load-balancers RandomBalancer', 'loadbalance RandomEngine'] },
  { strategy: 'random', weights: unequal, peers: ['loadbalance WeightedRandomEngine'] },
  { strategy: 'source-ip', weights: equal, peers: ['hashring HashRing'] },
  { strategy: 'source-ip', weights: unequal, peers: [] },
  { strategy: 'source-ip-port', weights: equal, peers: [] },
];

const patterns = [
  { pattern: '', inFlight: () => 0 },
  { pattern: '64 held', inFlight: () => 64 },
];

/** Half as many leases as members are held: with least connections half of the members are busy, and the order is all but trivial. */
const halfHeld = { pattern: 'n/2 held', inFlight: (members) => members / 2 };

/** The rows of the tables, in order; each is measured at every size, in a quick run those only that say so. `order` is what `one.mjs` takes. */
export const rows = strategies.flatMap(({ strategy, weights, peers }) => [
  ...(strategy === 'least-connections' ? [...patterns, halfHeld] : patterns).map(({ pattern, inFlight }) => ({
    label: [strategy, weights, ...(pattern === '' ? [] : [pattern])].join(', '),
    strategy,
    pattern,
    // Preparing hash strategies for many unequal members takes long.
    isQuick: pattern !== '64 held' && !(strategy === 'source-ip' && weights === unequal),
    order: (members) => ({
      module: 'evenkeel',
      strategy,
      isWeighted: weights === unequal,
      members,
      inFlight: inFlight(members),
      prepares: pattern === '',
    }),
  })),
  ...peers.map((peer) => ({
    label: `_${peer}_`,
    isQuick: true,
    order: (members) => ({ module: 'peers', peer, members }),
  })),
]);
