import { fixedEndpoint, isUnix } from './address.ts';
import { describe, SpecError } from './errors.ts';
import { describedPools, nameOf, refuseCookiesOverTcp } from './pool-reference.ts';
import { type PoolConfig, type PoolSpec, readPool } from './pool-spec.ts';
import { poolReferences, type SniRoute } from './sni-routing-spec.ts';
import { at, distinct, Fields, list } from './spec.ts';
import { type Protocol, readVip, type VipConfig, type VipSpec } from './vip-spec.ts';

/** The whole state that a balancer shall have: what it does not name goes. */
export interface BalancerSpec<T = unknown> {
  readonly pools?: readonly PoolSpec<T>[] | null;
  readonly vips?: readonly VipSpec<T>[] | null;
}

/** A virtual IP that refers to its pool by name, as a balancer keeps it. */
interface ReferringVip extends Omit<VipConfig, 'pool' | 'routes'> {
  readonly pool: string;
  readonly routes: readonly SniRoute<string>[];
}

/** A checked desired state: every pool, those described within a virtual IP too, and what refers to them. */
export interface BalancerConfig<T> {
  readonly pools: readonly PoolConfig<T>[];
  readonly vips: readonly ReferringVip[];
}

export function readBalancer<T>(value: unknown): BalancerConfig<T> {
  const fields = new Fields(value, '', ['pools', 'vips']);
  const pools = fields.read<PoolConfig<T>[], PoolConfig<T>[]>('pools', list(readPool<T>), []);
  const vips = fields.read<VipConfig<T>[], VipConfig<T>[]>('vips', list(readVip<T>), []);
  distinct(pools, 'pools', 'name', (pool) => pool.name);
  distinct(vips, 'vips', 'name', (vip) => vip.name);
  const known = new Map(pools.map((pool) => [pool.name, pool]));
  const referencesOf = (vip: VipConfig<T>, index: number) => poolReferences(vip, at('vips', index));
  const described = describedPools(vips.flatMap(referencesOf), known, {
    taken: 'a name that no other pool has',
    unknown: 'the name of one of the pools',
  });
  const all = new Map([...known, ...described]);
  for (const [index, vip] of vips.entries()) refuseCookiesOverTcp(vip.protocol, referencesOf(vip, index), all);
  refuseSharedEndpoints(vips);
  return { pools: [...all.values()], vips: vips.map(refer) };
}

function refer<T>(vip: VipConfig<T>): ReferringVip {
  return {
    ...vip,
    pool: nameOf(vip.pool),
    routes: vip.routes.map((route) => ({ ...route, pool: nameOf(route.pool) })),
  };
}

/** Two virtual IPs cannot listen on one address and port; port 0 is another one each time. */
function refuseSharedEndpoints(vips: readonly VipConfig[]): void {
  const seen = new Map<string, number>();
  for (const [index, { address, port }] of vips.entries()) {
    const endpoint = fixedEndpoint(address, port);
    if (endpoint === undefined) continue;
    const first = seen.get(endpoint);
    if (first !== undefined) {
      const path = at(at('vips', index), isUnix(address) ? 'address' : 'port');
      throw new SpecError(path, endpoint, `an address and port that ${at('vips', first)} does not have`);
    }
    seen.set(endpoint, index);
  }
}

/** A virtual IP that stays keeps its protocol: its clients are served by it, and what they have under way is accounted so. */
export function refuseOtherProtocols(
  vips: readonly ReferringVip[],
  present: ReadonlyMap<string, { readonly protocol: Protocol }>,
): void {
  for (const [index, { name, protocol }] of vips.entries()) {
    const kept = present.get(name)?.protocol ?? protocol;
    if (kept === protocol) continue;
    const expected = `'${kept}', which virtual IP ${describe(name)} keeps; one with another protocol needs another name`;
    throw new SpecError(at(at('vips', index), 'protocol'), protocol, expected);
  }
}
