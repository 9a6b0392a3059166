import type { Picker } from '../strategies/strategy.ts';
import type { Outcome } from './lease.ts';
import type { Member } from './member.ts';
import type { CurrentRequest } from './pick-request.ts';

/** Members that serve together (the primaries, or the backups), and the picker prepared for them. */
export class Tier<T> {
  readonly #members: readonly Member<T>[];
  /** Where there are no members, the last picker there was: the next one carries on from it. */
  readonly picker: Picker<T> | undefined;
  /** Whether the picker wants to hear of leases; asked once, since most do not. */
  readonly #follows: boolean;

  readonly #failed: (cause: unknown) => void;

  constructor(members: readonly Member<T>[], picker: Picker<T> | undefined, failed: (cause: unknown) => void) {
    this.#members = members;
    this.picker = picker;
    this.#failed = failed;
    this.#follows = picker?.acquired !== undefined || picker?.released !== undefined;
  }

  /** The picker's choice, held to what it may choose from: one of the tier's members that the request accepts. */
  pick(request: CurrentRequest<T>): Member<T> | undefined {
    if (this.#members.length === 0) return undefined;
    const member = this.picker?.pick(request);
    if (member === undefined || request.permits(member)) return member;
    const start = this.#members.indexOf(member) + 1;
    for (let step = 0; step < this.#members.length; step++) {
      const next = this.#members[(start + step) % this.#members.length] as Member<T>;
      if (request.accepts(next)) return next;
    }
    return undefined;
  }

  // What a picker makes of a lease is its own affair: an error there must not cost the lease.

  acquired(member: Member<T>): void {
    if (!this.#follows) return;
    try {
      this.picker?.acquired?.(member);
    } catch (cause) {
      this.#failed(cause);
    }
  }

  released(member: Member<T>, outcome: Outcome): void {
    if (!this.#follows) return;
    try {
      this.picker?.released?.(member, outcome);
    } catch (cause) {
      this.#failed(cause);
    }
  }
}
