import type { StrategyContext } from '../strategies/strategy.ts';
import { fixedEndpoint, isUnix } from './address.ts';
import type { Attachment, Placement, PreparedChange } from './attachment.ts';
import { type BalancerConfig, type BalancerSpec, readBalancer, refuseOtherProtocols } from './balancer-spec.ts';
import { destinationsOf } from './destinations.ts';
import { Emitter, type ListenerErrorEvent } from './emitter.ts';
import { contextOf, type Environment } from './environment.ts';
import { describe, InUseError, SpecError } from './errors.ts';
import { Followers } from './followers.ts';
import { Pool } from './pool.ts';
import { describedPools, refuseCookiesOverTcp } from './pool-reference.ts';
import { type PoolSpec, readPool } from './pool-spec.ts';
import { type BalancerStats, type BalancerStatus, poolStats, poolStatus, vipStats, vipStatus } from './report.ts';
import { poolReferences } from './sni-routing-spec.ts';
import { name as readName } from './spec.ts';
import { Counters, type Stats, sumStats } from './stats.ts';
import type { OperatingStatus, StatusChange } from './status.ts';
import { readVip, type VipConfig, type VipSpec } from './vip-spec.ts';
import { VirtualIP } from './virtual-ip.ts';

export interface BalancerOptions extends Environment {
  /** Shown in the status tree. Default `'balancer'`. */
  readonly name?: string;
}

export interface BalancerEvents<T> extends ListenerErrorEvent {
  'vip-added': [change: { readonly vip: VirtualIP<T> }];
  'vip-removed': [change: { readonly vip: VirtualIP<T> }];
  'pool-added': [change: { readonly pool: Pool<T> }];
  'pool-removed': [change: { readonly pool: Pool<T> }];
  status: [change: StatusChange<OperatingStatus>];
}

/** The load balancer on which virtual IPs and pools reside, each known by its name. */
export class Balancer<T = unknown> extends Emitter<BalancerEvents<T>> {
  readonly name: string;
  readonly #context: StrategyContext;
  readonly #vips = new Map<string, VirtualIP<T>>();
  readonly #pools = new Map<string, Pool<T>>();
  readonly #followers = new Followers<T>(() => this.#placements());
  /** Virtual IPs that were removed and still have clients; what all others before them served. */
  readonly #leaving = new Set<Stats>();
  #past: Stats = new Counters();
  /** The status that the last event told. */
  #toldStatus: OperatingStatus = 'online';

  /** Throws `SpecError` where the name is bad. */
  constructor({ name = 'balancer', ...environment }: BalancerOptions = {}) {
    super();
    this.name = readName(name, 'name');
    this.#context = contextOf(environment);
  }

  /** By name, in the order in which they came. */
  get vips(): ReadonlyMap<string, VirtualIP<T>> {
    return this.#vips;
  }

  /** By name, in the order in which they came. */
  get pools(): ReadonlyMap<string, Pool<T>> {
    return this.#pools;
  }

  /** `error` where a virtual IP is; `degraded` where one is; else `online`. Octavia's rule. */
  get status(): OperatingStatus {
    let worst: OperatingStatus = 'online';
    for (const { status } of this.#vips.values()) {
      if (status === 'error') return 'error';
      if (status === 'degraded') worst = 'degraded';
    }
    return worst;
  }

  /** Throws `SpecError` where the spec is bad or the name is taken. */
  createPool(spec: PoolSpec<T>): Pool<T> {
    const config = readPool<T>(spec, '');
    this.#refuseTaken('name', config.name, this.#pools);
    const pool = new Pool(config, this.#context);
    this.#addPool(pool);
    return pool;
  }

  /**
   * Creates a virtual IP; `pool` describes a new pool or names one of this balancer, and so do its routes. Where listeners are attached, one is bound
   * for it in the background; use `apply()` to wait for that. Throws `SpecError`.
   */
  createVip(spec: VipSpec<T>): VirtualIP<T> {
    const config = readVip<T>(spec, '');
    this.#refuseTaken('name', config.name, this.#vips);
    this.#refuseTakenEndpoint(config);
    const references = poolReferences(config);
    const described = describedPools(references, this.#pools, {
      taken: nameExpected,
      unknown: 'the name of a pool of this balancer',
    });
    refuseCookiesOverTcp(config.protocol, references, this.#pools);
    // Not one is added before each could be made.
    for (const pool of Array.from(described.values(), (pool) => new Pool(pool, this.#context))) this.#addPool(pool);
    const vip = new VirtualIP<T>(
      config,
      destinationsOf(config, (name) => this.#pools.get(name)),
      this.#context,
    );
    this.#addVip(vip);
    this.#followers.catchUp();
    return vip;
  }

  /** Removes a virtual IP; where it listens, its listener is drained. Its pool stays. Says whether there was one. */
  removeVip(name: string): boolean {
    const vip = this.#vips.get(name);
    if (vip === undefined) return false;
    this.#dropVip(vip);
    this.#followers.catchUp();
    return true;
  }

  /** Says whether there was one. Throws `InUseError` while a virtual IP leads to it. */
  removePool(name: string): boolean {
    const pool = this.#pools.get(name);
    if (pool === undefined) return false;
    const users = [...this.#vips.values()].filter((vip) => vip.pools.has(pool)).map((vip) => describe(vip.name));
    if (users.length > 0) {
      throw new InUseError('ERR_EVENKEEL_IN_USE', `pool ${describe(name)} is used by virtual IP ${users.join(', ')}`);
    }
    this.#dropPool(pool);
    return true;
  }

  /**
   * Takes the whole state that shall be: validates all of it, binds what is new where listeners are attached, then changes what
   * differs, all at once. Pools, virtual IPs and members are matched by name and id; those that stay keep their connections,
   * counters and health. A virtual IP keeps its protocol, too: another one is refused. Resolves when the change is in force;
   * listeners that went drain in the background. One call waits for the one before. Without listeners attached the change is in
   * force when the call returns.
   *
   * Rejects, and changes nothing, with `SpecError` or with what a listener could not do.
   */
  async apply(spec: BalancerSpec<T>): Promise<void> {
    const config = readBalancer<T>(spec);
    const change = (): Promise<void> => this.#carryOut(config);
    await (this.#followers.areNone ? change() : this.#followers.inTurn(change));
  }

  /**
   * Lets an adapter follow: it is asked to serve the virtual IPs that there are, now and after every change. Resolves when it
   * does, rejects (and forgets it) where it cannot.
   */
  attach(attachment: Attachment<T>): Promise<void> {
    return this.#followers.attach(attachment);
  }

  /** Forgets an adapter. Resolves when no change is under way that it might have a part in. */
  detach(attachment: Attachment<T>): Promise<void> {
    return this.#followers.detach(attachment);
  }

  /** Who is how, from the balancer down to each member. Plain data, a copy. */
  statusTree(): BalancerStatus {
    return {
      name: this.name,
      status: this.status,
      vips: Array.from(this.#vips.values(), vipStatus),
      pools: Array.from(this.#pools.values(), poolStatus),
    };
  }

  /** All counters, from the balancer's totals down to each member. Plain data, a copy. */
  stats(): BalancerStats {
    this.#bidFarewell();
    const present = Array.from(this.#vips.values(), (vip) => vip.stats);
    return {
      name: this.name,
      ...sumStats([this.#past, ...this.#leaving, ...present]),
      vips: Array.from(this.#vips.values(), vipStats),
      pools: Array.from(this.#pools.values(), poolStats),
    };
  }

  async #carryOut(config: BalancerConfig<T>): Promise<void> {
    refuseOtherProtocols(config.vips, this.#vips);
    const newPools = new Map(
      config.pools
        .filter(({ name }) => !this.#pools.has(name))
        .map((pool) => [pool.name, new Pool(pool, this.#context)]),
    );
    const newVips = new Map(
      config.vips
        .filter(({ name }) => !this.#vips.has(name))
        .map((vip) => [
          vip.name,
          new VirtualIP<T>(
            vip,
            destinationsOf(vip, (name) => this.#pools.get(name) ?? newPools.get(name)),
            this.#context,
          ),
        ]),
    );
    const placements = config.vips.map((wanted) => {
      const { name, address, port } = wanted;
      const { pools } = destinationsOf(wanted, (pool) => this.#pools.get(pool) ?? newPools.get(pool));
      return { vip: (this.#vips.get(name) ?? newVips.get(name)) as VirtualIP<T>, address, port, pools };
    });
    const known = new Set<unknown>([...this.#vips.values(), ...this.#pools.values()]);
    let prepared: PreparedChange | undefined;
    try {
      for (const pool of config.pools) this.#pools.get(pool.name)?.prepareChange(pool);
      for (const vip of config.vips) this.#vips.get(vip.name)?.prepareChange(vip.settings);
      if (!this.#followers.areNone) prepared = await this.#followers.prepare(placements);
      // Others may have created one meanwhile.
      refuseOtherProtocols(config.vips, this.#vips);
      this.#refuseCookiesOverTcp(config, known);
    } catch (error) {
      prepared?.cancel();
      for (const vip of newVips.values()) vip.retire();
      throw error;
    }
    this.#commit(config, newPools, newVips, known);
    prepared?.commit();
  }

  /**
   * Listeners of events hear of the change when all of it has happened. What others have created while listeners were being
   * bound stays: only what is `known` from before may go.
   */
  #commit(
    config: BalancerConfig<T>,
    newPools: ReadonlyMap<string, Pool<T>>,
    newVips: ReadonlyMap<string, VirtualIP<T>>,
    known: ReadonlySet<unknown>,
  ): void {
    using _change = holdAll([this, ...this.#pools.values(), ...this.#vips.values()]);
    const vipNames = new Set(config.vips.map(({ name }) => name));
    for (const vip of [...this.#vips.values()]) if (!vipNames.has(vip.name) && known.has(vip)) this.#dropVip(vip);
    for (const pool of config.pools) {
      const present = this.#pools.get(pool.name);
      if (present === undefined) this.#addPool(newPools.get(pool.name) ?? new Pool(pool, this.#context));
      else present.applyChange(pool);
    }
    for (const vip of config.vips) {
      const { address, port, settings } = vip;
      const destinations = destinationsOf(vip, (name) => this.#pools.get(name));
      if (!this.#vips.has(vip.name))
        this.#addVip(newVips.get(vip.name) ?? new VirtualIP<T>(vip, destinations, this.#context));
      else newVips.get(vip.name)?.retire();
      this.#vips.get(vip.name)?.configure(settings, { address, port, destinations });
    }
    const used = new Set(Array.from(this.#vips.values()).flatMap((vip) => [...vip.pools]));
    const poolNames = new Set(config.pools.map(({ name }) => name));
    for (const pool of [...this.#pools.values()])
      if (!poolNames.has(pool.name) && known.has(pool) && !used.has(pool)) this.#dropPool(pool);
  }

  /** Of virtual IPs that are not `known` from before, and stay therefore. */
  #refuseCookiesOverTcp({ pools }: BalancerConfig<T>, known: ReadonlySet<unknown>): void {
    const wanted = new Map(pools.map((pool) => [pool.name, pool]));
    for (const vip of this.#vips.values()) {
      if (known.has(vip)) continue;
      const references = Array.from(vip.pools, ({ name }) => ({ path: 'pools', pool: name }));
      refuseCookiesOverTcp(vip.protocol, references, wanted);
    }
  }

  #placements(): Placement<T>[] {
    return Array.from(this.#vips.values(), (vip) => {
      const { address, port, pools } = vip;
      return { vip, address, port, pools };
    });
  }

  #addPool(pool: Pool<T>): void {
    this.#pools.set(pool.name, pool);
    this.emit('pool-added', { pool });
  }

  #dropPool(pool: Pool<T>): void {
    this.#pools.delete(pool.name);
    this.emit('pool-removed', { pool });
  }

  #addVip(vip: VirtualIP<T>): void {
    this.#vips.set(vip.name, vip);
    vip.on('status', this.#review);
    this.emit('vip-added', { vip });
    this.#review();
  }

  #dropVip(vip: VirtualIP<T>): void {
    this.#vips.delete(vip.name);
    this.#leaving.add(vip.stats);
    this.#bidFarewell();
    vip.off('status', this.#review);
    vip.retire();
    this.emit('vip-removed', { vip });
    this.#review();
  }

  /** Of removed virtual IPs whose last client has left, only what they served is kept. */
  #bidFarewell(): void {
    for (const stats of this.#leaving) {
      if (stats.activeConnections > 0) continue;
      this.#leaving.delete(stats);
      this.#past = sumStats([this.#past, stats]);
    }
  }

  #refuseTakenEndpoint({ address, port }: VipConfig<T>): void {
    const endpoint = fixedEndpoint(address, port);
    if (endpoint === undefined) return;
    for (const vip of this.#vips.values()) {
      if (fixedEndpoint(vip.address, vip.port) !== endpoint) continue;
      const path = isUnix(address) ? 'address' : 'port';
      throw new SpecError(path, endpoint, `an address and port that virtual IP ${describe(vip.name)} does not have`);
    }
  }

  #refuseTaken(path: string, name: string, taken: ReadonlyMap<string, unknown>): void {
    if (taken.has(name)) throw new SpecError(path, name, nameExpected);
  }

  readonly #review = (): void => {
    const from = this.#toldStatus;
    const to = this.status;
    this.#toldStatus = to;
    if (to !== from) this.emit('status', { from, to });
  };
}

const nameExpected = 'a name that is not taken in this balancer';

function holdAll(emitters: readonly { hold(): Disposable }[]): Disposable {
  const holds = emitters.map((emitter) => emitter.hold());
  return {
    [Symbol.dispose]: () => {
      for (const hold of holds) hold[Symbol.dispose]();
    },
  };
}
