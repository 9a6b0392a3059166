/** The look-ups that are compared with those of the package `hashring`. */
const ours = [
  { name: 'ring-hash', strategy: 'ring-hash', isTarget: true },
  {
    name: 'ring-hash',
    label: 'ring-hash, ketama',
    strategy: { make: 'ringHash', options: { placement: 'ketama' } },
    isTarget: true,
  },
  { name: 'maglev', strategy: 'maglev', isTarget: true },
  { name: 'source-ip', strategy: 'source-ip', isTarget: false },
];

const peers = ['hashring HashRing', 'hashring HashRing, without its cache'];

const sizes = [10, 1000];

export function lookupRows() {
  return [
    ...ours.map(({ name, label = name, strategy, isTarget }) => ({
      label,
      name,
      isPeer: false,
      isTarget,
      sizes,
      order: (members) => ({ module: 'picks/lookups', strategy, members }),
    })),
    ...peers.map((peer) => ({
      label: `_${peer}_`,
      name: 'hashring',
      isPeer: true,
      isTarget: false,
      sizes,
      order: (members) => ({ module: 'picks/peers', peer, members }),
    })),
  ];
}
