import type { Persistence } from '../persistence/persistence.ts';
import { refuseOverTcp } from '../persistence/persistence-spec.ts';
import { SpecError } from './errors.ts';
import { type PoolConfig, readPool } from './pool-spec.ts';
import { at, name } from './spec.ts';
import type { Protocol } from './vip-spec.ts';

/** How a virtual IP says which pool it means: one that it describes itself, or, by its name, one of its balancer's. */
export type PoolReference<T = unknown> = PoolConfig<T> | string;

/** A reference, and where it stands in the spec. */
export interface PlacedReference<T> {
  readonly path: string;
  readonly pool: PoolReference<T>;
}

/** @param defaultName of a pool that is described without one */
export function poolReference<T>(defaultName: string): (value: unknown, path: string) => PoolReference<T> {
  return (value, path) => (typeof value === 'string' ? name(value, path) : readPool<T>(value, path, defaultName));
}

export function nameOf(pool: { readonly name: string } | string): string {
  return typeof pool === 'string' ? pool : pool.name;
}

/**
 * The pools that are described, each by its name.
 *
 * @param known pools that there are already, by name
 * @param expected in words, instead of a name that is taken, or of one that no pool has
 * @throws SpecError where two pools have one name, or a reference names none that is known or described
 */
export function describedPools<T>(
  references: readonly PlacedReference<T>[],
  known: ReadonlyMap<string, unknown>,
  expected: { readonly taken: string; readonly unknown: string },
): Map<string, PoolConfig<T>> {
  const described = new Map<string, PoolConfig<T>>();
  for (const { path, pool } of references) {
    if (typeof pool === 'string') continue;
    if (known.has(pool.name) || described.has(pool.name)) {
      throw new SpecError(at(path, 'name'), pool.name, expected.taken);
    }
    described.set(pool.name, pool);
  }
  for (const { path, pool } of references) {
    if (typeof pool !== 'string' || known.has(pool) || described.has(pool)) continue;
    throw new SpecError(path, pool, expected.unknown);
  }
  return described;
}

/** Throws `SpecError` where a virtual IP of TCP would lead to a pool whose persistence is of no use over TCP. */
export function refuseCookiesOverTcp<T>(
  protocol: Protocol,
  references: readonly PlacedReference<T>[],
  pools: { get(name: string): { readonly persistence: Persistence<T> | undefined } | undefined },
): void {
  for (const { path, pool } of references) {
    const { persistence } = (typeof pool === 'string' ? pools.get(pool) : pool) ?? {};
    refuseOverTcp(persistence, protocol, at(path, 'persistence'));
  }
}
