import { ServerNames } from '../tls/server-names.ts';
import type { Pool } from './pool.ts';
import { nameOf, type PoolReference } from './pool-reference.ts';
import type { SniRoute } from './sni-routing-spec.ts';
import type { OperatingStatus } from './status.ts';

/** The pools that a virtual IP leads to: its own, and those for TLS clients that ask for certain names. Never changes. */
export class Destinations<T> {
  readonly pool: Pool<T>;
  readonly routes: readonly SniRoute<Pool<T>>[];
  /** Each once, the virtual IP's own first. */
  readonly pools: ReadonlySet<Pool<T>>;
  readonly #byName: ServerNames<Pool<T>> | undefined;

  constructor(pool: Pool<T>, routes: readonly SniRoute<Pool<T>>[] = []) {
    this.pool = pool;
    this.routes = routes;
    this.pools = new Set([pool, ...routes.map((route) => route.pool)]);
    if (routes.length === 0) return;
    this.#byName = new ServerNames(
      routes.map((route) => ({ ...route, target: route.pool })),
      'sniRouting',
    );
  }

  /** The pool for a client that asks for this name and offers these protocols: the virtual IP's own where no route fits. */
  find(serverName: string | undefined, alpn: readonly string[]): Pool<T> {
    return this.#byName?.find(serverName, alpn) ?? this.pool;
  }

  /**
   * That of the only pool. Of several, those that are disabled do not count unless all are: `error` where none of the others can
   * serve, `degraded` where one of them is not `online`.
   */
  get status(): OperatingStatus {
    if (this.pools.size === 1) return this.pool.status;
    const statuses = Array.from(this.pools, ({ status }) => status).filter((status) => status !== 'offline');
    if (statuses.length === 0) return 'offline';
    if (statuses.every((status) => status === 'error')) return 'error';
    return statuses.every((status) => status === 'online') ? 'online' : 'degraded';
  }

  isSame(other: Destinations<T>): boolean {
    return this.pool === other.pool && isSameRouting(this.routes, other.routes);
  }
}

/** @param find the pool of a name, which there is */
export function destinationsOf<T>(
  { pool, routes }: { readonly pool: PoolReference<T>; readonly routes: readonly SniRoute<PoolReference<T>>[] },
  find: (name: string) => Pool<T> | undefined,
): Destinations<T> {
  const found = (reference: PoolReference<T>): Pool<T> => find(nameOf(reference)) as Pool<T>;
  return new Destinations(
    found(pool),
    routes.map((route) => ({ ...route, pool: found(route.pool) })),
  );
}

function isSameRouting(a: readonly SniRoute<unknown>[], b: readonly SniRoute<unknown>[]): boolean {
  const textOf = ({ serverNames, alpn }: SniRoute<unknown>): string => JSON.stringify([serverNames, alpn]);
  return (
    a.length === b.length &&
    a.every((route, index) => {
      const other = b[index];
      return other !== undefined && route.pool === other.pool && textOf(route) === textOf(other);
    })
  );
}
