import type { Member } from '../core/member.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import type { AgentCheck } from './agent/agent-check.ts';
import { type Checked, HealthChecker } from './health-checker.ts';
import type { BuiltInMonitor, HealthMonitor } from './monitor-spec.ts';
import type { Probe } from './probe.ts';
import type { Slots } from './slots.ts';

/**
 * Makes the probe that a monitor's `type` names, as the monitor's other fields want it; an adapter has one. Throws `SpecError` where
 * this machine cannot do what the monitor wants: the monitor is refused then.
 */
export type ProbeFactory = <T>(monitor: BuiltInMonitor | AgentCheck) => Probe<T>;

/** Who wants a pool's checks. */
interface User {
  readonly probes: ProbeFactory;
  readonly slots: Slots | undefined;
}

/** A health monitor, or an agent check. */
type Monitor<T> = HealthMonitor<T> | AgentCheck;

/** Keeps one checker running for a pool while anybody wants its checks, and replaces it when the monitor changes. */
export class Monitoring<T> {
  readonly #pool: Checked<T>;
  readonly #monitorOf: () => Monitor<T> | undefined;
  readonly #context: StrategyContext;
  readonly #users = new Set<User>();
  /** The last probe of each member, until it has settled: a new checker waits for those that an old one left running. */
  readonly #running = new WeakMap<Member<T>, Promise<void>>();
  #checker: HealthChecker<T> | undefined;
  /** The probe of the monitor that comes next. */
  #prepared: { readonly monitor: Monitor<T>; readonly probe: Probe<T> } | undefined;

  /** @param monitorOf the pool's monitor, if it has one now */
  constructor(pool: Checked<T>, monitorOf: () => Monitor<T> | undefined, context: StrategyContext) {
    this.#pool = pool;
    this.#monitorOf = monitorOf;
    this.#context = context;
  }

  start(probes: ProbeFactory, slots: Slots | undefined): Disposable {
    const user: User = { probes, slots };
    if (this.#users.size === 0) this.#run(user);
    this.#users.add(user);
    return {
      [Symbol.dispose]: () => {
        if (this.#users.delete(user) && this.#users.size === 0) this.restart();
      },
    };
  }

  /** Makes the probe of the monitor that is to come next, so that one which cannot be had throws before anything has changed. */
  prepare(monitor: Monitor<T> | undefined): void {
    const [user] = this.#users;
    if (user === undefined || monitor === undefined || monitor === this.#monitorOf()) return;
    if (this.#prepared?.monitor !== monitor) this.#prepared = { monitor, probe: probeOf(monitor, user.probes) };
  }

  restart(): void {
    this.#checker?.stop();
    this.#checker = undefined;
    const [user] = this.#users;
    if (user !== undefined) this.#run(user);
  }

  /** Has the member checked soon. */
  hurry(member: Member<T>): void {
    this.#checker?.hurry(member);
  }

  #run({ probes, slots }: User): void {
    const monitor = this.#monitorOf();
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (monitor === undefined) return;
    const probe = prepared?.monitor === monitor ? prepared.probe : probeOf(monitor, probes);
    this.#checker = new HealthChecker(this.#pool, monitor, probe, this.#running, slots, this.#context);
  }
}

function probeOf<T>(monitor: Monitor<T>, probes: ProbeFactory): Probe<T> {
  return isBuiltIn(monitor) ? probes(monitor) : monitor.type;
}

function isBuiltIn<T>(monitor: Monitor<T>): monitor is BuiltInMonitor | AgentCheck {
  return typeof monitor.type === 'string';
}
