/** More than there will be: nothing is to be refused. */
const plenty = 1_000_000;

/**
 * What can be switched on at layer 4, TLS apart: the fields of a virtual IP, of its pool and of each member that do it, and what the client
 * has to be told (`order`). Where several are on, they are put together, and of two that name the same field the later one counts.
 */
export const layer4Options = [
  {
    name: 'acceptProxyProtocol',
    vip: { acceptProxyProtocol: { trustedCidrs: ['127.0.0.0/8'] } },
    order: { isProxied: true },
  },
  { name: 'allowedCidrs', vip: { allowedCidrs: [...blocks(14), '127.0.0.0/8', '198.18.0.0/15'] } },
  { name: 'clientLimits', vip: { clientLimits: { maxConnections: plenty, rate: plenty } } },
  { name: 'connectionLimit', vip: { connectionLimit: plenty } },
  { name: 'persistence', pool: { persistence: { type: 'source-ip' } } },
  { name: 'queue', pool: { queue: {} } },
  { name: 'proxyProtocol', pool: { proxyProtocol: 'v2' } },
  { name: 'healthMonitor', pool: { healthMonitor: { type: 'tcp' } } },
  { name: 'outlierDetection', pool: { outlierDetection: {} } },
  { name: 'classify', pool: { classify } },
  { name: 'panic', pool: { panic: {} } },
  { name: 'retryBudget', pool: { retryBudget: {} } },
  { name: 'maxConnections', member: { maxConnections: plenty } },
  {
    name: 'minConnections',
    pool: { fullConnections: plenty },
    member: { minConnections: 1000, maxConnections: plenty },
  },
  { name: 'maxPending', member: { maxPending: plenty } },
  { name: 'maxRequests', member: { maxRequests: plenty } },
  { name: 'maxRetries', member: { maxRetries: plenty } },
];

/** Blocks that nobody is in, to be looked at first. */
function blocks(count) {
  return Array.from({ length: count }, (_, n) => `192.${n}.2.0/24`);
}

/** As it is by default, but a user's. */
function classify({ status }, outcome) {
  if (outcome === 'success') return status >= 500 ? 'failure' : 'success';
  return outcome;
}
