import type { Member } from '../../core/member.ts';
import { readStrategy, type StrategyName } from '../built-in.ts';
import type { Picker, PickRequest, Strategy, StrategyContext } from '../strategy.ts';

/** A strategy around another one, named for example `slow-start(round-robin)`. */
export class Wrapper<T> implements Strategy<T> {
  readonly name: string;
  readonly prepare: Strategy<T>['prepare'];

  constructor(name: string, inner: Strategy<T>, prepare: Strategy<T>['prepare']) {
    this.name = `${name}(${inner.name})`;
    this.prepare = prepare;
  }
}

/** What a wrapper is put around: a strategy, or the name of a built-in one. Throws `SpecError`. */
export function readInner<T>(strategy: Strategy<T> | StrategyName): Strategy<T> {
  return readStrategy<T>(strategy, 'strategy');
}

/** Which of several inner pickers a member belongs to, by its place in the whole list. */
export interface Route {
  /** The inner picker's index; -1 where none has the member. */
  readonly picker: Int32Array;
  /** The member's place in that picker's list. */
  readonly place: Int32Array;
}

/**
 * The picker of a strategy that wraps another one. It has exactly those methods that its inner pickers have, so that nobody
 * pays for what nobody hears: `measured` makes a pool read the clock twice for each lease.
 *
 * Cost: one call for each of the methods that the inner pickers do have.
 */
export abstract class WrapperPicker<T> implements Picker<T> {
  /** The picker that the inner strategy's next one carries on from. */
  abstract readonly inner: Picker<T> | undefined;
  declare acquired?: NonNullable<Picker<T>['acquired']>;
  declare wantsTime?: NonNullable<Picker<T>['wantsTime']>;
  declare measured?: NonNullable<Picker<T>['measured']>;
  declare measures?: Picker<T>['measures'];
  declare released?: NonNullable<Picker<T>['released']>;
  declare reported?: NonNullable<Picker<T>['reported']>;
  declare hashOf?: NonNullable<Picker<T>['hashOf']>;

  abstract pick(request: PickRequest<T>): Member<T> | undefined;

  /** Tells an inner picker that was prepared for the same list whatever this one is told. */
  protected passOn(inner: Picker<T>): void {
    if (inner.acquired !== undefined) this.acquired = inner.acquired.bind(inner);
    if (inner.wantsTime !== undefined) this.wantsTime = inner.wantsTime.bind(inner);
    if (inner.measured !== undefined) this.measured = inner.measured.bind(inner);
    if (inner.measures !== undefined) this.measures = inner.measures;
    if (inner.released !== undefined) this.released = inner.released.bind(inner);
    if (inner.reported !== undefined) this.reported = inner.reported.bind(inner);
    if (inner.hashOf !== undefined) this.hashOf = inner.hashOf.bind(inner);
  }

  /** Tells each of several pickers of one strategy what it is told of the members in its list, under their place there. */
  protected passOnTo(pickers: readonly Picker<T>[], { picker: index, place: inList }: Route): void {
    const at = (place: number): Picker<T> | undefined => pickers[index[place] as number];
    if (pickers.some(({ acquired }) => acquired !== undefined)) {
      this.acquired = (member, place) => at(place)?.acquired?.(member, inList[place] as number);
    }
    if (pickers.some(({ wantsTime }) => wantsTime !== undefined)) {
      this.wantsTime = (member, place) => at(place)?.wantsTime?.(member, inList[place] as number) ?? true;
    }
    if (pickers.some(({ measured }) => measured !== undefined)) {
      this.measured = (member, place, milliseconds, now) =>
        at(place)?.measured?.(member, inList[place] as number, milliseconds, now);
    }
    if (pickers.some(({ released }) => released !== undefined)) {
      this.released = (member, place, outcome, age, wasMeasured) =>
        at(place)?.released?.(member, inList[place] as number, outcome, age, wasMeasured);
    }
    if (pickers.some(({ reported }) => reported !== undefined)) {
      this.reported = (member, place, report) => at(place)?.reported?.(member, inList[place] as number, report);
    }
    const [first] = pickers;
    if (first?.measures !== undefined) this.measures = first.measures;
    if (first?.hashOf !== undefined) this.hashOf = first.hashOf.bind(first);
  }
}

/** The picker of this class that was in use before, however many other wrappers were around it. */
export function previousOf<T, P extends WrapperPicker<T>>(
  kind: abstract new (...parameters: never) => P,
  previous: Picker<T> | undefined,
): P | undefined {
  let picker = previous;
  while (picker instanceof WrapperPicker) {
    if (picker instanceof kind) return picker;
    picker = (picker as WrapperPicker<T>).inner;
  }
  return undefined;
}

/**
 * Prepares the strategy inside a wrapper. It carries on from its own last picker also where wrappers came or went around it:
 * another wrapper looks for its own kind, anything else gets the innermost.
 */
export function prepareInner<T>(
  strategy: Strategy<T>,
  members: readonly Member<T>[],
  previous: Picker<T> | undefined,
  context: StrategyContext,
): Picker<T> {
  let carriesOn = previous;
  if (!(strategy instanceof Wrapper)) {
    while (carriesOn instanceof WrapperPicker) carriesOn = (carriesOn as WrapperPicker<T>).inner;
  }
  return strategy.prepare(members, carriesOn, context);
}

/** Whether a pool in panic has its members serve: only then is one among them that is down. O(n). */
export function isPanicking(members: readonly Member<unknown>[]): boolean {
  return members.some(({ status }) => status === 'error');
}

/** The first of the members, from `start` on and round, that can take the client. O(n). */
export function firstFit<T>(
  members: readonly Member<T>[],
  start: number,
  request: PickRequest<T>,
): Member<T> | undefined {
  for (let step = 0; step < members.length; step++) {
    const member = members[(start + step) % members.length] as Member<T>;
    if (request.accepts(member)) return member;
  }
  return undefined;
}
