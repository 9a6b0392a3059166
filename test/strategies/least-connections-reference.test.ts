import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lease } from '../../src/core/lease.ts';
import type { Member } from '../../src/core/member.ts';
import { makePool, spec } from '../fixtures/core.ts';

const strategy = 'least-connections';

/** HAProxy's key: (n + 1) * 4096 / (16 * w), and 0 for an idle member. */
const key = ({ stats, weight }: Member): number =>
  stats.activeConnections === 0 ? 0 : ((stats.activeConnections + 1) * 256) / weight;

/**
 * The algorithm of the docstring by brute force: every member is looked at for every pick. Of members of one weight that are equally
 * loaded, the one that has been so for longest; of these the one whose weight has its turn first. A weight steps back by 1 / (weight ×
 * members that were tied with the one that is picked); it is never further back than that from now.
 */
class Reference {
  readonly #members: readonly Member[];
  readonly #turns = new Map<number, number>();
  readonly #since = new Map<Member, number>();
  #now = 0;
  #changes = 0;

  constructor(members: readonly Member[]) {
    this.#members = members;
    for (const member of members) {
      if (!this.#turns.has(member.weight)) this.#turns.set(member.weight, this.#turns.size * 2 ** -40);
      this.#since.set(member, this.#changes++);
    }
  }

  pick(accepts: (member: Member) => boolean): Member | undefined {
    const accepted = this.#members.filter(accepts);
    const least = Math.min(...accepted.map(key));
    const tied = accepted.filter((member) => key(member) === least).sort((a, b) => this.#waiting(a) - this.#waiting(b));
    const foremost = tied.filter((member) => tied.find(({ weight }) => weight === member.weight) === member);
    return foremost.sort((a, b) => this.#turnOf(a) - this.#turnOf(b))[0];
  }

  /** How many of a weight a member that is about to be picked is tied with, itself included. */
  tiedWith(member: Member): number {
    return this.#open(member.weight).filter((other) => key(other) === key(member)).length;
  }

  acquired(member: Member, tied: number): void {
    this.#now = Math.max(this.#now, this.#turnOf(member));
    this.#turns.set(member.weight, this.#now + 1 / (member.weight * tied));
    this.changed(member);
  }

  changed(member: Member): void {
    this.#since.set(member, this.#changes++);
    const open = this.#open(member.weight);
    const least = Math.min(...open.map(key));
    const first = open.filter((other) => key(other) === least).length;
    const latest = first === 0 ? this.#now : this.#now + 1 / (member.weight * first);
    this.#turns.set(member.weight, Math.min(this.#turnOf(member), latest));
  }

  /** Whether it is chance which of two is picked; a member is like itself. */
  areAlike(a: Member, b: Member): boolean {
    return a === b || (a.weight !== b.weight && hasRoom(a) && key(a) === key(b) && this.#turnOf(a) === this.#turnOf(b));
  }

  #turnOf({ weight }: Member): number {
    return this.#turns.get(weight) ?? 0;
  }

  #waiting(member: Member): number {
    return this.#since.get(member) ?? 0;
  }

  #open(weight: number): Member[] {
    return this.#members.filter((member) => member.weight === weight && hasRoom(member));
  }
}

const hasRoom = ({ stats, maxConnections = Number.POSITIVE_INFINITY }: Member): boolean =>
  stats.activeConnections < maxConnections;

test('picks whom a search through all members would pick', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ exclude: fc.array(fc.nat(11), { maxLength: 4 }) }) },
    { weight: 2, arbitrary: fc.record({ release: fc.nat(30) }) },
  );
  const member = fc.record({
    weight: fc.constantFrom(1, 2, 4, 8),
    maxConnections: fc.option(fc.integer({ min: 1, max: 5 })),
  });
  fc.assert(
    fc.property(
      fc.array(member, { minLength: 1, maxLength: 12 }),
      fc.array(step, { maxLength: 150 }),
      (settings, steps) => {
        const pool = makePool({ strategy, members: settings.map((each, index) => spec(`m${index}`, each)) });
        const reference = new Reference(pool.members);
        const held: Lease[] = [];
        for (const step of steps) {
          if ('release' in step) {
            const [lease] = held.splice(step.release % Math.max(1, held.length), 1);
            lease?.release();
            if (lease !== undefined) reference.changed(lease.member);
            continue;
          }
          const exclude = pool.members.filter((_, index) => step.exclude.includes(index));
          const expected = reference.pick((member) => !exclude.includes(member) && hasRoom(member));
          const alike = expected === undefined ? [] : pool.members.filter((each) => reference.areAlike(each, expected));
          const tied = new Map(alike.map((member) => [member, reference.tiedWith(member)]));
          const result = pool.acquire({ exclude });
          if (result.refused) {
            expect(expected).toBeUndefined();
            continue;
          }
          // Weights whose turns are the same can come out either way.
          expect(alike).toContain(result.member);
          reference.acquired(result.member, tied.get(result.member) ?? 0);
          held.push(result);
        }
      },
    ),
    { seed: 11, numRuns: 500 },
  );
});
