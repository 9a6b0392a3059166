import { avalanche } from '../strategies/murmur3.ts';
import type { Strategy, StrategyContext } from '../strategies/strategy.ts';
import type { MemberState } from './member-state.ts';
import type { CurrentRequest } from './pick-request.ts';
import { type LevelHealth, type PanicSettings, planPriorities } from './priority-load.ts';
import type { Random } from './random.ts';
import { Tier } from './tier.ts';

/** Members of one priority. */
export class Level<T> implements LevelHealth {
  readonly priority: number;
  /** How many there are, whatever their state. */
  members = 0;
  inService = 0;
  healthy = 0;
  unchecked = 0;
  /** Ejected by outlier detection, and nothing else against them. */
  ejected = 0;
  isPanicking = false;
  /** Percent of the clients. */
  load = 0;
  tier: Tier<T> | undefined;

  constructor(priority: number) {
    this.priority = priority;
  }

  /** Counts a member in (`sign` 1) or out (-1), as the roster last saw it. */
  count(state: MemberState<T>, sign: 1 | -1): void {
    this.members += sign;
    if (!state.isInService) return;
    this.inService += sign;
    if (state.isEligible) this.healthy += sign;
    else if (state.isUnchecked) this.unchecked += sign;
    if (state.isEjected) this.ejected += sign;
  }
}

/**
 * The primaries of a pool, or its backups: its levels of priority, each with a picker of its own. Usually there is one.
 */
export class Levels<T> {
  /** Ascending by priority. */
  readonly #levels: Level<T>[] = [];
  /** The only one's, where there is one: nearly always, and then there is nothing to choose. */
  #only: Tier<T> | undefined;
  #factor: number;
  #panic: PanicSettings | undefined;

  constructor(factor: number, panic: PanicSettings | undefined) {
    this.#factor = factor;
    this.#panic = panic;
  }

  configure(factor: number, panic: PanicSettings | undefined): void {
    this.#factor = factor;
    this.#panic = panic;
  }

  get isPanicking(): boolean {
    return this.#levels.some((level) => level.isPanicking);
  }

  /** Whether clients are refused for panic. */
  get failsTraffic(): boolean {
    return this.#panic?.failTraffic === true && this.isPanicking;
  }

  enter(state: MemberState<T>): void {
    const level = this.#of(state.config.priority);
    state.level = level;
    level.count(state, 1);
  }

  /** Whether there are members to pick from and all of them hold `maxConnections`. */
  get isFull(): boolean {
    let hasMembers = false;
    for (const { tier } of this.#levels) {
      if (tier === undefined || tier.isEmpty) continue;
      if (!tier.isFull) return false;
      hasMembers = true;
    }
    return hasMembers;
  }

  /** Whether there is nobody to pick. */
  get isEmpty(): boolean {
    return this.#levels.every(({ tier }) => tier === undefined || tier.isEmpty);
  }

  /** Whether any member is healthy. */
  get isHealthy(): boolean {
    return this.#levels.some((level) => level.healthy > 0);
  }

  /** Shares out the clients anew; says whether that changes who serves. */
  plan(mayPanic: boolean): boolean {
    const { loads, panicking } = planPriorities(this.#levels, this.#factor, mayPanic ? this.#panic : undefined);
    let changes = false;
    for (const [index, level] of this.#levels.entries()) {
      level.load = loads[index] as number;
      const isPanicking = panicking[index] === true && level.inService > 0;
      if (level.isPanicking === isPanicking) continue;
      level.isPanicking = isPanicking;
      changes = true;
    }
    return changes;
  }

  /** Prepares the strategy for those who serve, level by level. */
  prepare(
    serving: readonly MemberState<T>[],
    strategy: Strategy<T>,
    context: StrategyContext,
    failed: (cause: unknown) => void,
  ): void {
    this.#dropEmpty();
    for (const level of this.#levels) {
      const states = this.#levels.length === 1 ? serving : serving.filter((state) => state.level === level);
      const members = states.map((state) => state.member);
      const previous = level.tier?.picker;
      const picker = members.length === 0 ? previous : strategy.prepare(members, previous, context);
      level.tier = new Tier(states, picker, failed);
    }
    this.#only = this.#levels.length === 1 ? this.#levels[0]?.tier : undefined;
  }

  pick(request: CurrentRequest<T>, random: Random): MemberState<T> | undefined {
    return this.#only === undefined ? this.#pickAmong(request, random) : this.#only.pick(request);
  }

  #pickAmong(request: CurrentRequest<T>, random: Random): MemberState<T> | undefined {
    if (this.#levels.length === 0) return undefined;
    const chosen = this.#choose(request, random);
    const state = chosen.tier?.pick(request);
    if (state !== undefined) return state;
    for (const level of this.#levels) {
      const other = level === chosen ? undefined : level.tier?.pick(request);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  /** One level stays, with its picker: what comes next carries on from it. */
  #dropEmpty(): void {
    for (let index = this.#levels.length - 1; index >= 0 && this.#levels.length > 1; index--) {
      if (this.#levels[index]?.members === 0) this.#levels.splice(index, 1);
    }
  }

  #choose(request: CurrentRequest<T>, random: Random): Level<T> {
    const first = this.#levels[0] as Level<T>;
    // The rule, and then nobody's hash is needed, nor chance.
    if (first.load >= 100) return first;
    let rest = this.#draw(request, random);
    for (const level of this.#levels) {
      rest -= level.load;
      if (rest < 0) return level;
    }
    return first;
  }

  /** A number from 0 to 99: the same for the same client, where the strategy tells one from the other. */
  #draw(request: CurrentRequest<T>, random: Random): number {
    for (const { tier } of this.#levels) {
      // The picker of an empty one may be of an earlier strategy.
      const hash = tier?.isEmpty === false ? tier.picker?.hashOf?.(request) : undefined;
      // Mixed once more, or the level would follow from where the client is on its ring.
      if (hash !== undefined) return avalanche(hash ^ 0x5bd1e995) % 100;
    }
    return Math.floor(random() * 100);
  }

  #of(priority: number): Level<T> {
    const index = this.#levels.findIndex((level) => level.priority >= priority);
    const found = this.#levels[index];
    if (found?.priority === priority) return found;
    const level = new Level<T>(priority);
    this.#levels.splice(index < 0 ? this.#levels.length : index, 0, level);
    return level;
  }
}
