import { contextOf, type Environment } from './environment.ts';
import { Pool } from './pool.ts';
import { type PoolSpec, readPool } from './pool-spec.ts';

/** Makes a pool that stands for itself, outside any balancer. Throws `SpecError`. */
export function createPool<T = unknown>(spec: PoolSpec<T>, environment: Environment = {}): Pool<T> {
  return new Pool(readPool<T>(spec, ''), contextOf(environment));
}
