import type { Picker } from '../strategies/strategy.ts';
import type { Outcome } from './lease.ts';
import type { LoadReport } from './load-report.ts';
import { stateOf } from './member.ts';
import type { MemberState } from './member-state.ts';
import type { CurrentRequest } from './pick-request.ts';

/** Members that serve together (the primaries, or the backups), and the picker prepared for them. */
export class Tier<T> {
  readonly #states: readonly MemberState<T>[];
  /** Where there are no members, the last picker there was: the next one carries on from it. */
  readonly picker: Picker<T> | undefined;
  /** Whether the picker wants to know how long members take. */
  readonly isTimed: boolean;
  readonly measuresLastByte: boolean;
  /** Whether the picker wants to hear of leases; asked once, since most do not. */
  readonly #follows: boolean;
  readonly #failed: (cause: unknown) => void;
  /** How many hold `maxConnections`: where all do, nobody needs to be asked. */
  #full: number;

  constructor(states: readonly MemberState<T>[], picker: Picker<T> | undefined, failed: (cause: unknown) => void) {
    this.#states = states;
    this.picker = picker;
    this.#failed = failed;
    this.isTimed = picker?.measured !== undefined;
    this.measuresLastByte = picker?.measures === 'last-byte';
    this.#follows = picker?.acquired !== undefined || picker?.released !== undefined;
    for (const [place, state] of states.entries()) {
      state.tier = this;
      state.place = place;
    }
    this.#full = states.reduce((full, state) => (state.isFull ? full + 1 : full), 0);
  }

  get isEmpty(): boolean {
    return this.#states.length === 0;
  }

  /** Whether all hold `maxConnections`. */
  get isFull(): boolean {
    return this.#full === this.#states.length;
  }

  /** The picker's choice, held to what it may choose from: one of the tier's members that the request accepts. */
  pick(request: CurrentRequest<T>): MemberState<T> | undefined {
    if (this.isFull) return undefined;
    const member = this.picker?.pick(request);
    if (member === undefined || member === null) return undefined;
    const state = stateOf(member);
    if (state.tier === this && request.permits(state)) return state;
    return this.#next(state, request);
  }

  acquired(state: MemberState<T>): void {
    if (state.isFull) this.#full++;
    if (!this.#follows) return;
    try {
      this.picker?.acquired?.(state.member, state.place);
    } catch (cause) {
      // What a picker makes of a lease is its own affair: an error there must not cost the lease.
      this.#failed(cause);
    }
  }

  /** Whether a lease that was just taken is to be timed. To be asked where `isTimed`. */
  wantsTime(state: MemberState<T>): boolean {
    try {
      return this.picker?.wantsTime?.(state.member, state.place) ?? true;
    } catch (cause) {
      this.#failed(cause);
      return false;
    }
  }

  measured(state: MemberState<T>, milliseconds: number, now: number): void {
    try {
      this.picker?.measured?.(state.member, state.place, milliseconds, now);
    } catch (cause) {
      this.#failed(cause);
    }
  }

  reported(state: MemberState<T>, report: LoadReport): void {
    try {
      this.picker?.reported?.(state.member, state.place, report);
    } catch (cause) {
      this.#failed(cause);
    }
  }

  /** @param age milliseconds; 0 where it was not timed */
  released(state: MemberState<T>, outcome: Outcome, age: number, wasMeasured: boolean): void {
    if (state.counters.activeConnections === state.most - 1) this.#full--;
    if (!this.#follows) return;
    try {
      this.picker?.released?.(state.member, state.place, outcome, age, wasMeasured);
    } catch (cause) {
      this.#failed(cause);
    }
  }

  /** The acceptable member that follows one that is not, so that a picker need not care. */
  #next(state: MemberState<T>, request: CurrentRequest<T>): MemberState<T> | undefined {
    const start = state.tier === this ? state.place + 1 : 0;
    for (let step = 0; step < this.#states.length; step++) {
      const next = this.#states[(start + step) % this.#states.length] as MemberState<T>;
      if (request.permits(next)) return next;
    }
    return undefined;
  }
}
