import { memberWeights } from '../fixtures.mjs';

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** How many points a table has, by the members' weights. */
const perMember = ({ length }) => length;
const ringHash = (weights) => {
  const total = sum(weights);
  const least = Math.min(...weights) / total;
  // Envoy's rule: so many points for a weight of 1 that the lightest member has a whole number of them, and all have 1,024.
  return Math.round(Math.ceil(least * 1024) / least);
};
const ketama = (weights) => 160 * sum(weights);
const maglev = ({ length }) => (length <= 6553 ? 65_537 : 1_048_583);
/** 40 for each power of two in a weight. */
const sourceIp = (weights) => 40 * sum(weights.map((weight) => weight.toString(2).replaceAll('0', '').length));

const byMember = [
  'rendezvous',
  'random',
  'power-of-two',
  'peak-ewma',
  'least-time',
  'least-connections',
  'round-robin',
];

const tables = [
  { name: 'ring-hash', points: ringHash, sizes: [10, 1000, 100_000] },
  { name: 'ring-hash', points: ringHash, sizes: [1000, 10_000], isWeighted: true },
  {
    name: 'ring-hash',
    label: 'ring-hash, ketama',
    strategy: { make: 'ringHash', options: { placement: 'ketama' } },
    points: ketama,
    sizes: [10, 1000],
  },
  { name: 'maglev', points: maglev, sizes: [10, 1000, 100_000] },
  { name: 'maglev', points: maglev, sizes: [1000], isWeighted: true },
  { name: 'source-ip', points: sourceIp, sizes: [10, 1000, 100_000] },
  { name: 'source-ip', points: sourceIp, sizes: [1000], isWeighted: true },
  ...byMember.map((name) => ({ name, points: perMember, sizes: [1000, 100_000], isWeighted: true })),
  { name: 'first', points: perMember, sizes: [1000, 100_000] },
  { name: 'utilization', points: perMember, sizes: [1000, 100_000] },
];

/** The tables that strategies prepare. */
export function tableRows({ quick }) {
  return tables.map(({ name, label = name, strategy = name, points, sizes, isWeighted = false }) => ({
    label: isWeighted ? `${label}, weights 1 to 256` : label,
    name,
    sizes: quick ? [1000] : sizes,
    order: (members) => ({
      module: 'picks/tables',
      strategy,
      isWeighted,
      members,
      points: points(memberWeights(members, isWeighted)),
    }),
  }));
}
