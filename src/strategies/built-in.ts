import { SpecError } from '../core/errors.ts';
import { at, name } from '../core/spec.ts';
import { first } from './first.ts';
import { leastConnections } from './least-connections.ts';
import { leastTime } from './least-time.ts';
import { maglev } from './maglev.ts';
import { peakEwma } from './peak-ewma.ts';
import { powerOfTwo } from './power-of-two.ts';
import { random } from './random.ts';
import { rendezvous } from './rendezvous.ts';
import { ringHash } from './ring-hash.ts';
import { roundRobin } from './round-robin.ts';
import { sourceIp } from './source-ip.ts';
import { sourceIpPort } from './source-ip-port.ts';
import { isStrategy, type Strategy } from './strategy.ts';
import { utilization } from './utilization.ts';

/** Strategies that a spec can name. */
export type StrategyName =
  | 'round-robin'
  | 'least-connections'
  | 'power-of-two'
  | 'peak-ewma'
  | 'least-time'
  | 'first'
  | 'utilization'
  | 'random'
  | 'source-ip'
  | 'source-ip-port'
  | 'ring-hash'
  | 'maglev'
  | 'rendezvous';

// Strategies hold no state (their pickers do), so one of each serves every pool, and a name always means the same value.
const builtIn: { readonly [Name in StrategyName]: unknown } = {
  'round-robin': roundRobin(),
  'least-connections': leastConnections(),
  'power-of-two': powerOfTwo(),
  'peak-ewma': peakEwma(),
  'least-time': leastTime(),
  first: first(),
  utilization: utilization(),
  random: random(),
  'source-ip': sourceIp(),
  'source-ip-port': sourceIpPort(),
  'ring-hash': ringHash(),
  maglev: maglev(),
  rendezvous: rendezvous(),
};

/** The names of all built-in strategies. */
export const strategyNames: readonly StrategyName[] = Object.keys(builtIn) as StrategyName[];

export function readStrategy<T>(value: unknown, path: string): Strategy<T> {
  if (isStrategy<T>(value)) {
    name(value.name, at(path, 'name'));
    return value;
  }
  if (typeof value === 'string' && Object.hasOwn(builtIn, value)) return builtIn[value as StrategyName] as Strategy<T>;
  const names = strategyNames.map((each) => `'${each}'`).join(', ');
  throw new SpecError(path, value, `one of ${names}, or a strategy (an object with a name and a prepare function)`);
}
