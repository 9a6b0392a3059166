import { readAgentLine } from '../health/agent/agent-report.ts';
import type { Clock } from './clock.ts';
import { checkDeadline, type DrainOptions, type DrainResult, whenDrained } from './drain.ts';
import { NotFoundError } from './errors.ts';
import { type LoadReport, readLoadReport } from './load-report.ts';
import type { Member } from './member.ts';
import { type MemberUpdate, readMemberUpdate } from './member-spec.ts';
import type { MemberOwner, MemberState } from './member-state.ts';
import type { PoolLoad } from './pool-load.ts';
import type { Roster } from './roster.ts';

/** What a desk asks of its pool. */
export interface DeskOwner<T> {
  readonly roster: Roster<T>;
  readonly clock: Clock;
  readonly load: PoolLoad;
  /** Brackets a change. */
  change(): Disposable;
  drainExpired(member: Member<T>, remaining: number): void;
}

/** What members ask of their pool: to change, to drain, to go, and to be heard. */
export class MemberDesk<T> implements MemberOwner<T> {
  readonly #owner: DeskOwner<T>;

  constructor(owner: DeskOwner<T>) {
    this.#owner = owner;
  }

  get load(): PoolLoad {
    return this.#owner.load;
  }

  isServing(state: MemberState<T>): boolean {
    const { roster } = this.#owner;
    return roster.has(state) && roster.serves(state);
  }

  updateMember(state: MemberState<T>, change: MemberUpdate<T>): void {
    const config = readMemberUpdate<T>(change, state.config);
    this.#refuseGone(state);
    const { roster } = this.#owner;
    using _change = this.#owner.change();
    if (change.enabled !== undefined && config.enabled) roster.callOffDrain(state);
    roster.change(state, config);
  }

  removeMember(state: MemberState<T>): boolean {
    const { roster } = this.#owner;
    if (!roster.has(state)) return false;
    using _change = this.#owner.change();
    roster.remove(state);
    return true;
  }

  async drainMember(state: MemberState<T>, options: DrainOptions = {}): Promise<DrainResult> {
    this.#refuseGone(state);
    checkDeadline(options.deadline);
    options.signal?.throwIfAborted();
    this.#startDrain(state);
    const { member } = state;
    return whenDrained(state, options, this.#owner.clock, (remaining) => this.#owner.drainExpired(member, remaining));
  }

  reportLoad(state: MemberState<T>, report: LoadReport): void {
    const checked = readLoadReport(report);
    state.tier?.reported(state, checked);
  }

  reportAgent(state: MemberState<T>, line: string): void {
    const { roster } = this.#owner;
    if (!roster.has(state)) return;
    using _change = this.#owner.change();
    roster.hear(state, readAgentLine(line));
  }

  #startDrain(state: MemberState<T>): void {
    using _change = this.#owner.change();
    state.isDraining = true;
    this.#owner.roster.review(state);
  }

  #refuseGone(state: MemberState<T>): void {
    if (!this.#owner.roster.has(state)) throw new NotFoundError(state.config.id);
  }
}
