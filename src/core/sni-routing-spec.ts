import { readAlpn } from '../tls/alpn.ts';
import { readServerNames, ServerNames } from '../tls/server-names.ts';
import { SpecError } from './errors.ts';
import { type PlacedReference, type PoolReference, poolReference } from './pool-reference.ts';
import type { PoolSpec } from './pool-spec.ts';
import { at, Fields, list } from './spec.ts';

/** Which TLS clients go to another pool than the virtual IP's own. */
export interface SniRouteSpec<T = unknown> {
  /**
   * Host names that clients ask for with SNI; `*.a.example` stands for all names with one label more. One at least, and of all routes
   * only one with the same name for the same protocol.
   */
  readonly serverNames: readonly string[];
  /** Only for clients that offer one of these protocols with ALPN, for example `'h2'`. Default: whatever they offer. */
  readonly alpn?: readonly string[] | null;
  /**
   * The pool that serves them; of a balancer's virtual IP also the name of one of its pools. Its name, where it has none: the virtual
   * IP's, a slash and the first server name, and another slash and the first protocol where there is one.
   */
  readonly pool: PoolSpec<T> | string;
}

/** A checked route; `Target` is what it says about its pool. */
export interface SniRoute<Target> {
  /** Lower case, without dots at the end. */
  readonly serverNames: readonly string[];
  /** Undefined where it is for all protocols. */
  readonly alpn: readonly string[] | undefined;
  readonly pool: Target;
}

/** @param vipName what the names of pools that have none begin with */
export function sniRoutingOf<T>(
  vipName: string,
): (value: unknown, path: string) => readonly SniRoute<PoolReference<T>>[] {
  return (value, path) => {
    const routes = list((entry, entryPath) => readRoute<T>(entry, entryPath, vipName))(value, path);
    if (routes.length === 0) throw new SpecError(path, value, 'one route at least');
    // Names that two routes have are found by putting all in their places.
    new ServerNames(
      routes.map((route) => ({ ...route, target: route })),
      path,
    );
    return routes;
  };
}

function readRoute<T>(value: unknown, path: string, vipName: string): SniRoute<PoolReference<T>> {
  const fields = new Fields(value, path, ['serverNames', 'alpn', 'pool']);
  const serverNames = fields.require('serverNames', readServerNames);
  const alpn = fields.read('alpn', readAlpn, undefined);
  const defaultName = [vipName, serverNames[0], ...(alpn?.slice(0, 1) ?? [])].join('/');
  return { serverNames, alpn, pool: fields.require('pool', poolReference<T>(defaultName)) };
}

/** Every pool that a virtual IP refers to, its own first. */
export function poolReferences<T>(
  { pool, routes }: { readonly pool: PoolReference<T>; readonly routes: readonly SniRoute<PoolReference<T>>[] },
  path = '',
): PlacedReference<T>[] {
  const routing = at(path, 'sniRouting');
  return [
    { path: at(path, 'pool'), pool },
    ...routes.map((route, index) => ({ path: at(at(routing, index), 'pool'), pool: route.pool })),
  ];
}
