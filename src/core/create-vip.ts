import { destinationsOf } from './destinations.ts';
import { contextOf, type Environment } from './environment.ts';
import { SpecError } from './errors.ts';
import { Pool } from './pool.ts';
import { describedPools, refuseCookiesOverTcp } from './pool-reference.ts';
import { poolReferences } from './sni-routing-spec.ts';
import { readVip, type VipSpec } from './vip-spec.ts';
import { VirtualIP } from './virtual-ip.ts';

const expected = { taken: 'a name that no other pool has', unknown: 'the name of one of the pools' };

/**
 * Makes a virtual IP with a pool of its own, outside any balancer. It serves once an adapter listens for it, for example
 * `listen()` of `evenkeel/node`. Throws `SpecError`.
 */
export function createVip<T = unknown>(spec: VipSpec<T>, environment: Environment = {}): VirtualIP<T> {
  const config = readVip<T>(spec, '');
  const references = poolReferences(config);
  for (const { path, pool } of references) {
    if (typeof pool !== 'string') continue;
    throw new SpecError(path, pool, 'a pool; only a virtual IP of a Balancer can name one');
  }
  refuseCookiesOverTcp(config.protocol, references, new Map());
  const context = contextOf(environment);
  const described = describedPools(references, new Map(), expected);
  const pools = new Map(Array.from(described, ([name, pool]) => [name, new Pool(pool, context)]));
  return new VirtualIP(
    config,
    destinationsOf(config, (name) => pools.get(name)),
    context,
  );
}
