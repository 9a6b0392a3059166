/** More than there will be: nothing is to be refused. */
const plenty = 1_000_000;

const outlierDetection = { outlierDetection: {} };
const panic = { panic: {} };
const retryBudget = { retryBudget: {} };
const concurrencyLimit = { concurrencyLimit: { type: 'gradient', max: plenty, initial: 1000 } };
const circuit = { maxConnections: plenty, maxPending: plenty, maxRequests: plenty, maxRetries: plenty };

/** An adaptive limit looks once a second at how many leases there are, and from then on times about 128 a second. */
const oneSecond = 1200;

const all = {
  label: 'all safeguards',
  on: { settings: { ...outlierDetection, ...panic, ...retryBudget, ...concurrencyLimit }, memberFields: circuit },
  settle: oneSecond,
};

const singles = [
  { label: 'outlier detection', on: { settings: outlierDetection } },
  { label: 'panic threshold', on: { settings: panic } },
  { label: 'retry budget', on: { settings: retryBudget } },
  { label: 'adaptive concurrency (gradient)', on: { settings: concurrencyLimit }, settle: oneSecond },
  { label: 'circuit limits on every member', on: { memberFields: circuit } },
  {
    label: '_slow start (a wrapper), all warm_',
    on: { strategy: { make: 'slowStart', around: 'round-robin', options: { window: 600_000 } } },
  },
];

const lives = ['pick', 'connection', 'request'];

/** All safeguards together in each life that a lease can have, and, if there is time, each by itself in the longest. */
export function safeguardRows({ quick }) {
  return [
    ...lives.map((life) => rowOf({ ...all, life })),
    ...(quick ? [] : singles.map((each) => rowOf({ ...each, life: 'request' }))),
  ];
}

function rowOf({ label, life, on, settle = 0 }) {
  return {
    label,
    name: 'safeguards',
    life,
    isTarget: on === all.on,
    sizes: [10],
    order: (members) => ({ module: 'picks/safeguards', life, off: { strategy: 'round-robin' }, on, settle, members }),
  };
}
