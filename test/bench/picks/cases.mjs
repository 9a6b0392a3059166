export const sizes = [10, 1000, 100_000];

const strategies = [
  { strategy: 'round-robin', isWeighted: false },
  { strategy: 'round-robin', isWeighted: true },
  { strategy: 'least-connections', isWeighted: false },
  { strategy: 'least-connections', isWeighted: true },
  { strategy: 'random', isWeighted: false },
  { strategy: 'random', isWeighted: true },
  { strategy: 'source-ip', isWeighted: false },
  { strategy: 'source-ip', isWeighted: true },
  { strategy: 'source-ip-port', isWeighted: false },
];

const patterns = [
  { pattern: 'at once', inFlight: () => 0 },
  { pattern: '64 held', inFlight: () => 64 },
];

/** Half as many leases as members are held: with least connections half of the members are busy, and the order is all but trivial. */
const halfHeld = { pattern: 'n/2 held', inFlight: (members) => members / 2 };

/** Rows of evenkeel's table; each is measured at every size. */
export const ours = strategies.flatMap(({ strategy, isWeighted }) => {
  const own = strategy === 'least-connections' ? [...patterns, halfHeld] : patterns;
  return own.map(({ pattern, inFlight }) => ({
    label: `${strategy}, ${isWeighted ? 'weights 1 to 256' : 'equal weights'}, ${pattern}`,
    strategy,
    pattern,
    order: (members) => ({ module: 'evenkeel', strategy, isWeighted, members, inFlight: inFlight(members) }),
  }));
});

/** Rows of the other packages, each beside the strategy that does the same or comes closest. */
export const others = [
  ['loadbalance RoundRobinEngine', 'round-robin, equal weights'],
  ['loadbalance WeightedRoundRobinEngine', 'round-robin, weights 1 to 256 (not smooth)'],
  ['load-balancers P2cBalancer', 'least-connections, equal weights (it counts picks, and has no release)'],
  ['load-balancers RandomBalancer', 'random, equal weights'],
  ['loadbalance RandomEngine', 'random, equal weights'],
  ['loadbalance WeightedRandomEngine', 'random, weights 1 to 256'],
  ['hashring HashRing', 'source-ip, equal weights'],
].map(([peer, beside]) => ({ label: peer, beside, order: (members) => ({ module: 'peers', peer, members }) }));
