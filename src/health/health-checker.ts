import type { Clock, Timer } from '../core/clock.ts';
import type { Emitter } from '../core/emitter.ts';
import { printable } from '../core/errors.ts';
import { type Member, stateOf } from '../core/member.ts';
import type { PoolEvents } from '../core/pool-events.ts';
import type { Random } from '../core/random.ts';
import type { ProxyProtocolVersion } from '../core/send-proxy-protocol.ts';
import { isSame } from '../core/spec.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import { InconclusiveError } from './inconclusive-error.ts';
import { endpointToCheck } from './monitor-endpoint.ts';
import type { CheckPace, MonitorSettings } from './monitor-spec.ts';
import type { Probe, ProbeTarget } from './probe.ts';
import { Slots } from './slots.ts';

/**
 * First checks start at most this many milliseconds apart: soon enough for a small pool to be known within a moment, while
 * those of a thousand members spread over ten seconds (or over one `delay`, where that is shorter).
 */
const firstCheckSpacing = 10;

/** What of a monitor concerns whoever makes its checks. */
type CheckSettings = CheckPace & Partial<Pick<MonitorSettings, 'proxyProtocol'>>;

/** Whose members are checked, and who hears what was found. */
export interface Checked<T> extends Pick<Emitter<PoolEvents<T>>, 'on' | 'off'> {
  readonly members: readonly Member<T>[];
  /** What clients' connections to the members begin with. */
  readonly proxyProtocol?: { readonly version: ProxyProtocolVersion } | undefined;
  recordCheck(member: Member<T>, passed: boolean, reason: string): void;
}

/**
 * Checks every member of a pool, each on a schedule of its own: first within a moment of its coming, then every `delay`, or
 * whatever the monitor says of a member in its state.
 * Never two checks of one member at a time, never more than `maxConcurrentChecks` of the pool.
 */
export class HealthChecker<T> {
  readonly #pool: Checked<T>;
  readonly #monitor: CheckSettings;
  readonly #probe: Probe<T>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #slots: Slots;
  readonly #sharedSlots: Slots | undefined;
  readonly #running: WeakMap<Member<T>, Promise<void>>;
  readonly #schedules = new Map<Member<T>, Schedule>();
  /** When the next newcomer's first check may start. */
  #nextFirst = 0;

  constructor(
    pool: Checked<T>,
    monitor: CheckSettings,
    probe: Probe<T>,
    running: WeakMap<Member<T>, Promise<void>>,
    sharedSlots: Slots | undefined,
    { clock, random }: StrategyContext,
  ) {
    this.#running = running;
    this.#pool = pool;
    this.#monitor = monitor;
    this.#probe = probe;
    this.#clock = clock;
    this.#random = random;
    this.#sharedSlots = sharedSlots;
    this.#slots = new Slots(monitor.maxConcurrentChecks);
    for (const member of pool.members) this.#follow(member);
    pool.on('member-added', this.#added);
    pool.on('member-removed', this.#removed);
    pool.on('member-status', this.#changed);
  }

  /** Has the member's next check made within `fastDelay`. */
  hurry(member: Member<T>): void {
    const schedule = this.#schedules.get(member);
    // The first check comes soon enough.
    if (schedule?.last === undefined) return;
    const due = Math.min(schedule.due, this.#clock.now() + this.#monitor.fastDelay);
    if (due < schedule.due) this.#planAt(member, schedule, due);
  }

  /** Ends all checks; one that runs is aborted and its result ignored. */
  stop(): void {
    this.#pool.off('member-added', this.#added);
    this.#pool.off('member-removed', this.#removed);
    this.#pool.off('member-status', this.#changed);
    for (const member of [...this.#schedules.keys()]) this.#forget(member);
  }

  readonly #added = ({ member }: { readonly member: Member<T> }): void => this.#follow(member);
  readonly #removed = ({ member }: { readonly member: Member<T> }): void => this.#forget(member);

  /** Somebody else may have changed its state: who has enabled it need not wait until a `downDelay` has passed. */
  readonly #changed = ({ member }: { readonly member: Member<T> }): void => this.#repace(member);

  #follow(member: Member<T>): void {
    if (this.#schedules.has(member)) return;
    const schedule: Schedule = {
      timer: undefined,
      last: undefined,
      due: 0,
      stretch: 1,
      isDue: false,
      running: undefined,
    };
    this.#schedules.set(member, schedule);
    const now = this.#clock.now();
    const { delay } = this.#monitor;
    // Newcomers queue up; once the queue is as long as a round, the rest fall anywhere in the round.
    const start = Math.max(now, this.#nextFirst);
    const fits = start + firstCheckSpacing <= now + delay;
    if (fits) this.#nextFirst = start + firstCheckSpacing;
    const first = fits ? start - now + this.#random() * firstCheckSpacing : this.#random() * delay;
    schedule.timer = this.#clock.setTimeout(() => this.#due(member, schedule), first);
  }

  #forget(member: Member<T>): void {
    const schedule = this.#schedules.get(member);
    if (schedule === undefined) return;
    this.#schedules.delete(member);
    this.#clock.clearTimeout(schedule.timer);
    schedule.running?.abort(new InconclusiveError('the monitor stopped'));
  }

  #due(member: Member<T>, schedule: Schedule): void {
    const { jitter } = this.#monitor;
    schedule.last = this.#clock.now();
    schedule.stretch = jitter === 0 ? 1 : 1 + ((2 * this.#random() - 1) * jitter) / 100;
    this.#plan(member, schedule);
    if (!member.enabled) return;
    if (schedule.running === undefined) void this.#check(member, schedule);
    else if (schedule.running.signal.aborted) this.#record(member, false, 'the check before has not ended');
    else schedule.isDue = true;
  }

  /** Sets the member's next check: an interval after the last one was due, however long that takes. */
  #plan(member: Member<T>, schedule: Schedule): void {
    if (schedule.last === undefined) return;
    this.#planAt(member, schedule, schedule.last + this.#intervalOf(member) * schedule.stretch);
  }

  #planAt(member: Member<T>, schedule: Schedule, due: number): void {
    this.#clock.clearTimeout(schedule.timer);
    schedule.due = due;
    schedule.timer = this.#clock.setTimeout(() => this.#due(member, schedule), Math.max(0, due - this.#clock.now()));
  }

  #repace(member: Member<T>): void {
    const { delay, fastDelay, downDelay } = this.#monitor;
    if (fastDelay === delay && downDelay === delay) return;
    const schedule = this.#schedules.get(member);
    if (schedule !== undefined) this.#plan(member, schedule);
  }

  /** HAProxy's `srv_getinter()`. */
  #intervalOf(member: Member<T>): number {
    const { delay, fastDelay, downDelay } = this.#monitor;
    const { health } = stateOf(member);
    if (health?.isSteady !== true) return fastDelay;
    return health.isUp ? delay : downDelay;
  }

  #record(member: Member<T>, passed: boolean, reason: string): void {
    this.#pool.recordCheck(member, passed, reason);
    this.#repace(member);
  }

  async #check(member: Member<T>, schedule: Schedule): Promise<void> {
    const running = new AbortController();
    schedule.running = running;
    schedule.isDue = false;
    const slot = await this.#takeSlot();
    if (running.signal.aborted) slot[Symbol.dispose]();
    else await this.#judge(member, running, slot);
    schedule.running = undefined;
    // A check that took longer than the delay is followed by the one that fell due meanwhile.
    if (schedule.isDue && this.#schedules.has(member)) void this.#check(member, schedule);
  }

  /** A place of the pool's and, where several pools share some, one of those. */
  async #takeSlot(): Promise<Disposable> {
    const own = await this.#slots.take();
    if (this.#sharedSlots === undefined) return own;
    const shared = await this.#sharedSlots.take();
    return {
      [Symbol.dispose]: () => {
        own[Symbol.dispose]();
        shared[Symbol.dispose]();
      },
    };
  }

  /** Returns when the probe has settled, so that there are never two of one member; its slot is free at the verdict. */
  async #judge(member: Member<T>, running: AbortController, slot: Disposable): Promise<void> {
    const { timeout } = this.#monitor;
    const { signal } = running;
    const timer = this.#clock.setTimeout(() => running.abort(new Error(`no answer within ${timeout} ms`)), timeout);
    const { health, config } = stateOf(member);
    const endpoint = endpointToCheck(config);
    const record = (passed: boolean, reason: string): void => {
      const now = stateOf(member);
      // A member that moves or comes back meanwhile starts with new health, of which this check knows nothing.
      if (now.health === health && isSame(endpoint, endpointToCheck(now.config))) this.#record(member, passed, reason);
    };
    const proxyProtocol = this.#proxyProtocolTo(member);
    const answer = this.#ask({ member, ...endpoint, ...(proxyProtocol && { proxyProtocol }), signal });
    try {
      using _slot = slot;
      await Promise.race([answer, aborted(signal)]);
      record(true, 'check passed');
    } catch (cause) {
      const error = signal.aborted ? signal.reason : cause;
      if (!(error instanceof InconclusiveError)) record(false, reasonOf(error));
    } finally {
      this.#clock.clearTimeout(timer);
    }
    await answer.catch(() => {});
  }

  /** HAProxy's rule: unless the monitor says, as clients' connections, where the check knocks where they go. */
  #proxyProtocolTo({ monitorAddress, monitorPort }: Member<T>): ProxyProtocolVersion | undefined {
    const { proxyProtocol } = this.#monitor;
    if (proxyProtocol !== undefined) return proxyProtocol === 'none' ? undefined : proxyProtocol;
    const isElsewhere = monitorAddress !== undefined || monitorPort !== undefined;
    return isElsewhere ? undefined : this.#pool.proxyProtocol?.version;
  }

  /** A probe that throws instead of rejecting has failed, too. */
  async #ask(target: ProbeTarget<T>): Promise<void> {
    await this.#running.get(target.member);
    target.signal.throwIfAborted();
    const answer = (async () => this.#probe.check(target))();
    this.#running.set(
      target.member,
      answer.catch(() => {}),
    );
    await answer;
  }
}

interface Schedule {
  timer: Timer;
  /** When the last check was due; undefined before the first. */
  last: number | undefined;
  /** When the next one is, after the first. */
  due: number;
  /** By what the interval to it is multiplied. */
  stretch: number;
  running: AbortController | undefined;
  /** Whether a check fell due while the one before still ran. */
  isDue: boolean;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** A user's probe may reject with anything, also with what cannot be turned into text. */
function reasonOf(error: unknown): string {
  const message: unknown = error instanceof Error ? error.message : error;
  return typeof message === 'string' && message !== '' ? printable(message.slice(0, longestReason)) : 'check failed';
}

const longestReason = 200;
