import type { Member } from '../core/member.ts';
import type { Pool } from '../core/pool.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import { HealthChecker } from './health-checker.ts';
import { type BuiltInMonitor, isBuiltIn } from './monitor-spec.ts';
import type { Probe } from './probe.ts';

/** Makes the probe that a monitor's `type` names, as the monitor's other fields want it; an adapter has one. */
export type ProbeFactory = <T>(monitor: BuiltInMonitor) => Probe<T>;

/** Keeps one checker running for a pool while anybody wants its checks, and replaces it when the monitor changes. */
export class Monitoring<T> {
  readonly #pool: Pool<T>;
  readonly #context: StrategyContext;
  readonly #users = new Set<ProbeFactory>();
  /** The last probe of each member, until it has settled: a new checker waits for those that an old one left running. */
  readonly #running = new WeakMap<Member<T>, Promise<void>>();
  #checker: HealthChecker<T> | undefined;

  constructor(pool: Pool<T>, context: StrategyContext) {
    this.#pool = pool;
    this.#context = context;
  }

  start(probes: ProbeFactory): Disposable {
    const user: ProbeFactory = (monitor) => probes(monitor);
    this.#users.add(user);
    if (this.#users.size === 1) this.restart();
    return {
      [Symbol.dispose]: () => {
        if (this.#users.delete(user) && this.#users.size === 0) this.restart();
      },
    };
  }

  restart(): void {
    this.#checker?.stop();
    this.#checker = undefined;
    const { healthMonitor } = this.#pool;
    const [probes] = this.#users;
    if (probes === undefined || healthMonitor === undefined) return;
    const probe: Probe<T> = isBuiltIn(healthMonitor) ? probes(healthMonitor) : healthMonitor.type;
    this.#checker = new HealthChecker(this.#pool, healthMonitor, probe, this.#running, this.#context);
  }
}
