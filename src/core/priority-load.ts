/** What of a level's members can serve. */
export interface LevelHealth {
  /** Those that are meant to serve: enabled, of a weight above 0, not draining. */
  readonly inService: number;
  /** Of these, those that are neither down nor ejected. */
  readonly healthy: number;
  /** Of these, those that nobody has checked yet and that count as down until then: they say nothing about the level. */
  readonly unchecked: number;
}

export interface PanicSettings {
  /** Percent of a level's members: fewer healthy ones are panic. 0 is none. */
  readonly threshold: number;
  /** Fewer healthy members of a level are panic. 0 is none. */
  readonly minHealthy: number;
  /** Whether a level in panic refuses its clients, instead of using all its members, healthy or not. */
  readonly failTraffic: boolean;
}

/** What of the clients goes to each level, in percent, and which levels panic. */
export interface PriorityPlan {
  readonly loads: readonly number[];
  readonly panicking: readonly boolean[];
}

/**
 * How clients spread over levels of priority. A level takes all that its healthy members can carry, and these are taken to carry
 * `factor` percent of their share: with 140 a level keeps all its clients until fewer than 72 % of its members are healthy. What it
 * cannot carry goes to the next. Where all levels together cannot carry everything, those that have too few healthy members panic;
 * where all panic, clients spread by the number of members.
 *
 * Source: Envoy, `source/extensions/load_balancing_policies/common/load_balancer_impl.cc` (`recalculatePerPriorityState`,
 * `recalculatePerPriorityPanic`, `recalculateLoadInTotalPanic`), without its degraded hosts; `minHealthy` is that of AWS target
 * groups (`unhealthy_state_routing.minimum_healthy_targets.count`). Percentages are integers, rounded down.
 */
export function planPriorities(
  levels: readonly LevelHealth[],
  factor: number,
  panic: PanicSettings | undefined,
): PriorityPlan {
  const health = levels.map((level) => Math.min(100, percent(level.healthy * factor, 100 * rated(level))));
  const total = Math.min(
    100,
    health.reduce((sum, percent) => sum + percent, 0),
  );
  const loads = byHealth(health, total);
  if (panic === undefined) return { loads, panicking: levels.map(() => false) };
  const panicking = levels.map((level, index) => panics(level, total, loads[index] as number, panic));
  const isTotal = total < 100 && panicking.every((isPanicking) => isPanicking);
  return { loads: isTotal ? byNumber(levels) : loads, panicking };
}

function rated({ inService, unchecked }: LevelHealth): number {
  return inService - unchecked;
}

/** An empty level, as one of which nothing is healthy, does not keep the others from panicking. */
function percentOf(level: LevelHealth): number {
  return rated(level) === 0 ? 0 : (100 * level.healthy) / rated(level);
}

function percent(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.floor((100 * part) / whole);
}

function panics(level: LevelHealth, total: number, load: number, { threshold, minHealthy }: PanicSettings): boolean {
  if (total < 100) return percentOf(level) < threshold || level.healthy < minHealthy;
  // Others carry all that this level does not: it may panic for what it has to carry itself, and not for standing by.
  return load > 0 && level.healthy < minHealthy;
}

function byHealth(health: readonly number[], total: number): number[] {
  const loads: number[] = [];
  let left = 100;
  for (const percentage of health) {
    const load = total === 0 ? 0 : Math.min(left, Math.floor((percentage * 100) / total));
    loads.push(load);
    left -= load;
  }
  return withRest(loads, left, (index) => total === 0 || (health[index] as number) > 0);
}

function byNumber(levels: readonly LevelHealth[]): number[] {
  const all = levels.reduce((sum, { inService }) => sum + inService, 0);
  const loads = levels.map(({ inService }) => percent(inService, all));
  const left = loads.reduce((rest, load) => rest - load, 100);
  return withRest(loads, left, (index) => (levels[index] as LevelHealth).inService > 0);
}

/** What rounding has left over goes to the first level that can take it. */
function withRest(loads: number[], left: number, takes: (index: number) => boolean): number[] {
  const first = loads.findIndex((_, index) => takes(index));
  if (first >= 0) loads[first] = (loads[first] as number) + left;
  return loads;
}
