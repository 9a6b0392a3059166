import { agentsOf } from '../health/agent/agent-subject.ts';
import type { HealthMonitor } from '../health/monitor-spec.ts';
import { Monitoring, type ProbeFactory } from '../health/monitoring.ts';
import { Observer } from '../health/observer.ts';
import type { Slots } from '../health/slots.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import type { MemberState } from './member-state.ts';
import type { Pool } from './pool.ts';
import type { PoolSettings } from './pool-spec.ts';
import type { Roster } from './roster.ts';

/** A pool's active checks, those of its members' agents, and what they and the clients' luck make of a member's health. */
export class Checks<T> {
  readonly #pool: Pool<T>;
  readonly #roster: Roster<T>;
  readonly #change: () => Disposable;
  readonly #health: Monitoring<T>;
  readonly #agents: Monitoring<T>;

  /** @param change brackets a change of the pool */
  constructor(pool: Pool<T>, roster: Roster<T>, change: () => Disposable, context: StrategyContext) {
    this.#pool = pool;
    this.#roster = roster;
    this.#change = change;
    this.#health = new Monitoring(pool, () => pool.healthMonitor, context);
    this.#agents = new Monitoring(agentsOf(pool), () => pool.agentCheck, context);
  }

  /** Throws `SpecError` where this machine cannot do what the monitor wants; changes nothing. */
  prepare(monitor: HealthMonitor<T> | undefined): void {
    this.#health.prepare(monitor);
  }

  /** The pool's settings have changed. */
  follow(before: PoolSettings<T>, settings: PoolSettings<T>): void {
    if (settings.healthMonitor !== before.healthMonitor) this.#health.restart();
    if (settings.agentCheck === before.agentCheck) return;
    this.#agents.restart();
    // What a member's agent has said is for it alone to take back, and nobody asks it any more.
    if (settings.agentCheck === undefined) for (const state of this.#roster.states) this.#roster.hear(state, undefined);
  }

  start(probes: ProbeFactory, slots: Slots | undefined): Disposable {
    const agents = this.#agents.start(probes, slots);
    try {
      const health = this.#health.start(probes, slots);
      return {
        [Symbol.dispose]: () => {
          health[Symbol.dispose]();
          agents[Symbol.dispose]();
        },
      };
    } catch (error) {
      agents[Symbol.dispose]();
      throw error;
    }
  }

  /** Who counts the clients' failures for the monitor; undefined where it does not ask for them. */
  observer(): Observer<T> | undefined {
    const { observe, errorLimit = 0 } = this.#pool.healthMonitor ?? {};
    return observe && new Observer(observe, errorLimit, (state) => this.#failedClients(state));
  }

  /** A member has failed its clients too often in a row. */
  #failedClients(state: MemberState<T>): void {
    const { health, member } = state;
    const { healthMonitor } = this.#pool;
    if (health === undefined || healthMonitor === undefined || !this.#roster.has(state)) return;
    {
      using _change = this.#change();
      if (health.recordErrors(healthMonitor.onError)) {
        state.healthReason = `${healthMonitor.errorLimit} failures in a row`;
        this.#roster.review(state);
      }
    }
    this.#health.hurry(member);
  }
}
