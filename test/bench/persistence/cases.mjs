const tables = [
  { label: 'source-ip, IPv4', kind: 'source-ip', clients: 'ipv4' },
  { label: 'source-ip, IPv6', kind: 'source-ip', clients: 'ipv6' },
  { label: 'app-cookie, 32 characters', kind: 'app-cookie', clients: 'cookie' },
  { label: '_Map, IPv4_', kind: 'Map', clients: 'ipv4', isPeer: true },
  { label: '_lru-cache, IPv4_', kind: 'lru-cache', clients: 'ipv4', isPeer: true },
  { label: '_lru-cache, IPv6_', kind: 'lru-cache', clients: 'ipv6', isPeer: true },
];

const pools = [
  { label: 'source-ip, IPv4', clients: 'ipv4' },
  { label: 'source-ip, IPv6', clients: 'ipv6' },
];

export const fewest = 1000;
export const most = 1_000_000;

const sizesOf = ({ quick }) => (quick ? [fewest, most] : [fewest, 100_000, most]);

/** Tables by themselves. */
export function tableRows(options) {
  return tables.map(({ label, kind, clients, isPeer = false }) => ({
    label,
    isPeer,
    sizes: sizesOf(options),
    order: (entries) => ({ module: 'persistence/table', kind, clients, entries }),
  }));
}

/** Pools that have one. */
export function poolRows(options) {
  return pools.map(({ label, clients }) => ({
    label,
    sizes: sizesOf(options),
    order: (entries) => ({ module: 'persistence/pool', clients, entries }),
  }));
}
