import { SpecError } from '../../core/errors.ts';
import type { Member } from '../../core/member.ts';
import { at, Fields, integer, name, number } from '../../core/spec.ts';
import type { StrategyName } from '../built-in.ts';
import { avalanche } from '../murmur3.ts';
import type { Picker, PickRequest, Strategy, StrategyContext } from '../strategy.ts';
import {
  firstFit,
  isPanicking,
  prepareInner,
  previousOf,
  readInner,
  Wrapper,
  WrapperPicker,
} from './wrapper-picker.ts';
import { zoneShares } from './zone-shares.ts';

export interface ZonePreferenceOptions {
  /** Where the clients of this balancer are: a `zone` of members, or one that has none. */
  readonly zone: string;
  /**
   * How the clients of all balancers are spread over the zones, in any unit: 0 to 1e15 each, above 0 for `zone`. Default: evenly
   * over the zones that members have, and `zone`.
   */
  readonly clients?: Readonly<Record<string, number>> | null;
  /** With fewer members than this zones make no difference, 0 to 2147483647. Default 6. */
  readonly minMembers?: number | null;
}

/**
 * Members of the own zone first, and of others only as far as the own zone has less than its share of the capacity: `zoneShares`
 * says how much. Where all members of a zone are full or were tried, other zones serve, the own one first. The strategy inside
 * has a picker for each zone. Where it places clients by a hash, a client keeps its zone, too. Members without a zone are one of
 * their own, `''`. While the pool panics zones make no difference: how much of the own one is down is not known here.
 *
 * Source: Envoy's zone aware routing. Cost: in a zone that keeps all its clients nothing; else one chance draw a pick, or a second
 * hash, and a walk over the zones; preparing O(n). Throws `SpecError`.
 */
export function zonePreference<T = unknown>(
  strategy: Strategy<T> | StrategyName,
  options: ZonePreferenceOptions,
): Strategy<T> {
  const inner = readInner(strategy);
  const settings = readOptions(options);
  return new Wrapper('zone-preference', inner, (members, previous, context) => {
    const before = previousOf<T, ZonePreferencePicker<T>>(ZonePreferencePicker, previous);
    return new ZonePreferencePicker(members, inner, settings, before ?? previous, context);
  });
}

interface Settings {
  readonly zone: string;
  readonly clients: ReadonlyMap<string, number> | undefined;
  readonly minMembers: number;
}

function readOptions(options: ZonePreferenceOptions): Settings {
  const fields = new Fields(options, '', ['zone', 'clients', 'minMembers']);
  const zone = fields.require('zone', name);
  const clients = fields.read('clients', readClients, undefined);
  if (clients !== undefined && !((clients.get(zone) ?? 0) > 0)) {
    throw new SpecError(at('clients', zone), clients.get(zone), `a share above 0, since this is '${zone}'`);
  }
  return { zone, clients, minMembers: fields.read('minMembers', integer(0, 2_147_483_647), 6) };
}

function readClients(value: unknown, path: string): ReadonlyMap<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SpecError(path, value, 'an object with the share of each zone');
  }
  const share = number(0, 1e15);
  return new Map(Object.entries(value).map(([zone, amount]) => [zone, share(amount, at(path, zone))]));
}

/** The members of one zone. */
interface Zone<T> {
  readonly name: string;
  readonly members: Member<T>[];
  weight: number;
}

/** Who is picked from for what, out of a client's hash: unlike what the strategy inside and others make of it. */
const forZone = 0x2545f491;
const forSpill = 0x6b43a9b5;

class ZonePreferencePicker<T> extends WrapperPicker<T> {
  /** The zones that matter, the own one first where it has members; one with all members where zones make no difference. */
  readonly #zones: readonly Zone<T>[];
  readonly #pickers: readonly Picker<T>[];
  /** By zone, up to which number below 1 a draw means it: for a client's first zone, and for the next where that one cannot. */
  readonly #shares: Float64Array;
  readonly #capacity: Float64Array;
  readonly #hasOwn: boolean;
  readonly #context: StrategyContext;
  /** The last picker for all members together. */
  readonly #all: Picker<T> | undefined;

  constructor(
    members: readonly Member<T>[],
    strategy: Strategy<T>,
    settings: Settings,
    before: Picker<T> | undefined,
    context: StrategyContext,
  ) {
    super();
    const zones = group(members);
    const isOneZone = members.length < settings.minMembers || isPanicking(members);
    const shares = isOneZone ? undefined : sharesOf(zones, settings);
    const last = before instanceof ZonePreferencePicker ? (before as ZonePreferencePicker<T>) : undefined;
    this.#context = context;
    if (shares === undefined) {
      this.#zones = [];
      this.#all = prepareInner(strategy, members, last === undefined ? before : last.#all, context);
      this.#pickers = [this.#all];
      this.#shares = this.#capacity = new Float64Array(0);
      this.#hasOwn = false;
      this.passOn(this.#all);
      return;
    }
    this.#all = last === undefined ? undefined : last.#all;
    this.#hasOwn = zones.has(settings.zone);
    this.#zones = inOrder(zones, settings.zone);
    this.#pickers = this.#zones.map((zone) => {
      const previous = last === undefined ? before : last.#pickerOf(zone.name);
      return prepareInner(strategy, zone.members, previous, context);
    });
    this.#shares = sumsOf(this.#zones.map((zone) => shares.get(zone.name) ?? 0));
    // The own zone has been asked before the others are.
    this.#capacity = sumsOf(this.#zones.map(({ name, weight }) => (name === settings.zone ? 0 : weight)));
    this.passOnTo(this.#pickers, this.#route(members));
  }

  get inner(): Picker<T> | undefined {
    return this.#pickers[0];
  }

  pick(request: PickRequest<T>): Member<T> | undefined {
    if (this.#zones.length === 0) return this.inner?.pick(request);
    // Nobody leaves a zone that has room for all its clients, so nobody's hash is needed.
    const first = (this.#shares[0] as number) >= 1 ? 0 : indexOf(this.#shares, this.#draw(request, forZone));
    return this.#pickIn(first, request) ?? this.#pickElsewhere(first, request);
  }

  /** From the own zone if that was not it, else from one by capacity, else from any of the others. */
  #pickElsewhere(first: number, request: PickRequest<T>): Member<T> | undefined {
    const own = this.#hasOwn ? 0 : first;
    if (own !== first) {
      const choice = this.#pickIn(own, request);
      if (choice !== undefined) return choice;
    }
    const start = indexOf(this.#capacity, this.#draw(request, forSpill));
    for (let step = 0; step < this.#zones.length; step++) {
      const zone = (start + step) % this.#zones.length;
      const choice = zone === first || zone === own ? undefined : this.#pickIn(zone, request);
      if (choice !== undefined) return choice;
    }
    return undefined;
  }

  #pickIn(index: number, request: PickRequest<T>): Member<T> | undefined {
    const choice = this.#pickers[index]?.pick(request);
    if (choice === undefined || choice === null || request.accepts(choice)) return choice ?? undefined;
    const { members } = this.#zones[index] as Zone<T>;
    return firstFit(members, members.indexOf(choice) + 1, request);
  }

  /** A number below 1: the same for the same client, where the strategy inside tells one from the other. */
  #draw(request: PickRequest<T>, purpose: number): number {
    const hash = this.hashOf?.(request);
    return hash === undefined ? this.#context.random() : avalanche(hash ^ purpose) / 0x1_0000_0000;
  }

  /** What a zone's next picker carries on from. */
  #pickerOf(name: string): Picker<T> | undefined {
    if (this.#zones.length === 0) return this.#all;
    return this.#pickers[this.#zones.findIndex((zone) => zone.name === name)];
  }

  #route(members: readonly Member<T>[]) {
    const picker = new Int32Array(members.length);
    const place = new Int32Array(members.length);
    const indexes = new Map(this.#zones.map((zone, index) => [zone.name, index]));
    const next = new Int32Array(this.#zones.length);
    for (const [index, member] of members.entries()) {
      const zone = indexes.get(member.zone ?? '') as number;
      picker[index] = zone;
      place[index] = next[zone] as number;
      (next[zone] as number)++;
    }
    return { picker, place };
  }
}

function group<T>(members: readonly Member<T>[]): Map<string, Zone<T>> {
  const zones = new Map<string, Zone<T>>();
  for (const member of members) {
    const name = member.zone ?? '';
    let zone = zones.get(name);
    if (zone === undefined) {
      zone = { name, members: [], weight: 0 };
      zones.set(name, zone);
    }
    zone.members.push(member);
    zone.weight += member.weight;
  }
  return zones;
}

function sharesOf<T>(zones: ReadonlyMap<string, Zone<T>>, { zone: own, clients }: Settings) {
  const capacity = new Map(Array.from(zones, ([name, { weight }]) => [name, weight]));
  return zoneShares(own, capacity, clients ?? new Map([own, ...zones.keys()].map((name) => [name, 1])));
}

/** By name, so that a client's hash means the same zone whatever the order of the members; but the own zone first. */
function inOrder<T>(zones: ReadonlyMap<string, Zone<T>>, own: string): Zone<T>[] {
  return [...zones.values()].sort(
    (a, b) => Number(b.name === own) - Number(a.name === own) || (a.name < b.name ? -1 : 1),
  );
}

/** The amounts up to and including each, as parts of 1. */
function sumsOf(amounts: readonly number[]): Float64Array {
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  const sums = new Float64Array(amounts.length);
  let sum = 0;
  for (const [index, amount] of amounts.entries()) {
    sum += amount;
    sums[index] = sum / total;
  }
  return sums;
}

/** Which one a draw from 0 to below 1 means; linear, since zones are few. */
function indexOf(sums: Float64Array, draw: number): number {
  let index = 0;
  while (index < sums.length - 1 && draw >= (sums[index] as number)) index++;
  return index;
}
