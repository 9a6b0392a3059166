import { maglev, ringHash, slowStart, subset, utilization, zonePreference } from 'evenkeel';

const makers = { maglev, ringHash, utilization };
const wrappers = { slowStart, subset, zonePreference };

/**
 * The strategy that an order names: a built-in one by its name, or `{ make, options }` by the function that makes it, and of a wrapper
 * what is inside: `{ make: 'slowStart', around: 'round-robin', options: { window: 60_000 } }`.
 */
export function strategyOf(order) {
  if (typeof order === 'string') return order;
  const { make, around, options } = order;
  return around === undefined ? makers[make](options) : wrappers[make](strategyOf(around), options);
}
