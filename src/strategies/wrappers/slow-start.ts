import { SpecError } from '../../core/errors.ts';
import type { Member } from '../../core/member.ts';
import { unlimited } from '../../core/member-spec.ts';
import { duration, Fields, number, oneOf } from '../../core/spec.ts';
import type { StrategyName } from '../built-in.ts';
import type { Picker, PickRequest, Strategy, StrategyContext } from '../strategy.ts';
import { type Allowance, ShareGate } from './share-gate.ts';
import { envoyCurve, haproxyCurve, type WarmUpCurve } from './warm-up-curve.ts';
import { isPanicking, prepareInner, previousOf, readInner, Wrapper, WrapperPicker } from './wrapper-picker.ts';

export interface SlowStartOptions {
  /** Milliseconds until a member that came has its full share, 1 to 2147483647. */
  readonly window: number;
  /** Default `'envoy'`. */
  readonly curve?: 'envoy' | 'haproxy' | null;
  /** Of Envoy's curve: 1 is a straight line, more rises early, less late; 0.01 to 100. Default 1. */
  readonly aggression?: number | null;
  /** The least part of its fair share that a member gets, 0 to 1. Default 0.1; of HAProxy's curve 0, as its first step is 1/16. */
  readonly floor?: number | null;
}

/**
 * A member that comes or comes back gets its share of the clients step by step, under whatever strategy is inside: `ShareGate`
 * says how. It never costs a client: where no other member can serve, a warming one does. The members of the first moment start
 * warm, as in HAProxy. A warm-up goes on through changes of weights, members, options and the strategy inside. While the pool
 * panics nobody is held back: each member is needed, and who comes for it is down.
 *
 * Cost: while all are warm nothing; else one clock reading a pick and that of the gate. Throws `SpecError`.
 */
export function slowStart<T = unknown>(strategy: Strategy<T> | StrategyName, options: SlowStartOptions): Strategy<T> {
  const inner = readInner(strategy);
  const curve = readCurve(options);
  return new Wrapper('slow-start', inner, (members, previous, context) => {
    const before = previousOf<T, SlowStartPicker<T>>(SlowStartPicker, previous);
    const picker = prepareInner(inner, members, before === undefined ? previous : before.inner, context);
    return new SlowStartPicker(members, picker, before, curve, context);
  });
}

function readCurve(options: SlowStartOptions): WarmUpCurve {
  const fields = new Fields(options, '', ['window', 'curve', 'aggression', 'floor']);
  const window = fields.require('window', duration(1));
  const floor = number(0, 1);
  if (fields.read('curve', oneOf(['envoy', 'haproxy']), 'envoy') === 'haproxy') {
    fields.read('aggression', notForHaproxy, undefined);
    return haproxyCurve(window, fields.read('floor', floor, 0));
  }
  return envoyCurve(window, fields.read('aggression', number(0.01, 100), 1), fields.read('floor', floor, 0.1));
}

function notForHaproxy(value: unknown, path: string): never {
  throw new SpecError(path, value, "nothing: curve 'haproxy' has no such choice");
}

/** Factors are worked out this often in a window: each is within half a percent of the curve. */
const looks = 256;

interface Warming<T> {
  readonly member: Member<T>;
  /** When it came. */
  readonly since: number;
  readonly allowance: Allowance;
}

class SlowStartPicker<T> extends WrapperPicker<T> {
  readonly inner: Picker<T>;
  readonly #members: readonly Member<T>[];
  readonly #curve: WarmUpCurve;
  readonly #context: StrategyContext;
  readonly #gate: ShareGate<T>;
  readonly #isPanicking: boolean;
  #warming: Warming<T>[] = [];
  /** When to work out the factors next. */
  #due = 0;

  constructor(
    members: readonly Member<T>[],
    inner: Picker<T>,
    before: SlowStartPicker<T> | undefined,
    curve: WarmUpCurve,
    context: StrategyContext,
  ) {
    super();
    this.inner = inner;
    this.#members = members;
    this.#curve = curve;
    this.#context = context;
    this.#gate = new ShareGate(members, context.random);
    this.passOn(inner);
    if (before !== undefined) this.#carryOn(before);
    this.#isPanicking = this.#warming.length > 0 && isPanicking(members);
    if (this.#warming.length === 0 || this.#isPanicking) return;
    this.#look(context.clock.now());
    this.acquired = (member, place) => {
      if (this.#warming.length > 0) this.#gate.acquired(member);
      inner.acquired?.(member, place);
    };
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    if (this.#warming.length === 0 || this.#isPanicking) return this.inner.pick(request);
    const now = this.#context.clock.now();
    if (now >= this.#due) this.#look(now);
    return this.#gate.pick(this.inner, request);
  }

  /** Who was not there before starts to warm up now; who was warming goes on. */
  #carryOn(before: SlowStartPicker<T>): void {
    const now = this.#context.clock.now();
    const warming = new Map(before.#warming.map((each) => [each.member, each]));
    let known: ReadonlySet<Member<T>> | undefined;
    for (const [place, member] of this.#members.entries()) {
      if (member !== before.#members[place]) {
        known ??= new Set(before.#members);
        if (!known.has(member)) {
          this.#warming.push({ member, since: now, allowance: this.#gate.hold(member) });
          continue;
        }
      }
      const since = warming.get(member)?.since;
      if (since === undefined) continue;
      this.#warming.push({ member, since, allowance: this.#gate.hold(member, before.#gate.creditOf(member)) });
    }
  }

  #look(now: number): void {
    const curve = this.#curve;
    this.#due = now + curve.window / looks;
    const still: Warming<T>[] = [];
    for (const warming of this.#warming) {
      const elapsed = now - warming.since;
      if (elapsed >= curve.window) {
        this.#gate.letGo(warming.member);
        continue;
      }
      still.push(warming);
      this.#gate.change(warming.allowance, curve.factorAt(elapsed));
      // Of a limit that moves with the pool's load it is a share of what that permits at this look.
      const { connectionLimit } = warming.member;
      warming.allowance.limit = connectionLimit === undefined ? unlimited : curve.limitAt(elapsed, connectionLimit);
    }
    this.#warming = still;
    this.#gate.balance();
  }
}
