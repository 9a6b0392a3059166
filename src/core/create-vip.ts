import { contextOf, type Environment } from './environment.ts';
import { SpecError } from './errors.ts';
import { Pool } from './pool.ts';
import { readVip, type VipSpec } from './vip-spec.ts';
import { VirtualIP } from './virtual-ip.ts';

/**
 * Makes a virtual IP with a pool of its own, outside any balancer. It serves once an adapter listens for it, for example
 * `listen()` of `evenkeel/node`. Throws `SpecError`.
 */
export function createVip<T = unknown>(spec: VipSpec<T>, environment: Environment = {}): VirtualIP<T> {
  const config = readVip<T>(spec, '');
  if (typeof config.pool === 'string') {
    throw new SpecError('pool', config.pool, 'a pool; only a virtual IP of a Balancer can name one');
  }
  return new VirtualIP(config, new Pool(config.pool, contextOf(environment)));
}
