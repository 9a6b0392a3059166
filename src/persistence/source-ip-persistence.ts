import type { Member } from '../core/member.ts';
import { Fields } from '../core/spec.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import { BuiltInPersistence } from './built-in-persistence.ts';
import type { Persistence, PersistenceRequest, PersistenceTable } from './persistence.ts';
import { AddressBlocks } from './table/address-blocks.ts';
import { type Granularity, type GranularitySpec, granularityOver } from './table/granularity.ts';
import { MemberTable } from './table/member-table.ts';
import { readTableLimits, type TableLimitsSpec } from './table/table-limits-spec.ts';

/** The default of `timeout` is 1800000: half an hour. */
export interface SourceIpPersistenceSpec extends TableLimitsSpec {
  /**
   * All addresses that agree in so many leading bits are one client. Default `{ ipv4: 32, ipv6: 128 }`: each address. Octavia
   * has a netmask here: 255.255.255.0 is 24.
   */
  readonly granularity?: GranularitySpec | null;
}

interface SourceIpSettings {
  readonly timeout: number;
  readonly maxEntries: number;
  readonly ipv4: number;
  readonly ipv6: number;
}

const eachAddress: Granularity = { ipv4: 32, ipv6: 128 };
const halfAnHour = 1_800_000;

/**
 * The same member for the same client address; Octavia's `SOURCE_IP`, HAProxy's `stick on src`. A client without an IP address
 * (of a Unix socket) is not remembered, and all clients behind one translated address are one.
 *
 * Cost: O(1), see `MemberTable`. Throws `SpecError`.
 */
export function sourceIpPersistence<T = unknown>(spec: SourceIpPersistenceSpec = {}): Persistence<T> {
  return readSourceIpPersistence(new Fields(spec, '', sourceIpPersistenceNames));
}

export const sourceIpPersistenceNames = ['timeout', 'maxEntries', 'granularity'] as const;

export function readSourceIpPersistence<T>(fields: Fields<(typeof sourceIpPersistenceNames)[number]>): Persistence<T> {
  return new SourceIpPersistence({
    ...readTableLimits(fields, halfAnHour),
    ...fields.read('granularity', granularityOver(eachAddress), eachAddress),
  });
}

class SourceIpPersistence<T> extends BuiltInPersistence<T, SourceIpSettings> {
  constructor(settings: SourceIpSettings) {
    super('source-ip', settings);
  }

  override start(context: StrategyContext, previous?: PersistenceTable<T>): PersistenceTable<T> {
    if (previous instanceof SourceIpTable && previous.adopts(this.settings())) return previous;
    return new SourceIpTable(this.settings(), context);
  }
}

class SourceIpTable<T> implements PersistenceTable<T> {
  readonly #blocks: AddressBlocks;
  readonly #granularity: Granularity;
  readonly #members: MemberTable;

  constructor(settings: SourceIpSettings, context: StrategyContext) {
    this.#granularity = settings;
    this.#blocks = new AddressBlocks(settings);
    this.#members = new MemberTable(settings, context);
  }

  get size(): number {
    return this.#members.size;
  }

  get evicted(): number {
    return this.#members.evicted;
  }

  /** Goes on under other limits, where its keys stay what they are. */
  adopts(settings: SourceIpSettings): boolean {
    const { ipv4, ipv6 } = this.#granularity;
    if (settings.ipv4 !== ipv4 || settings.ipv6 !== ipv6) return false;
    this.#members.limits = settings;
    return true;
  }

  find({ clientAddress }: PersistenceRequest): string | undefined {
    if (clientAddress === undefined || !this.#blocks.read(clientAddress)) return undefined;
    return this.#members.find(this.#blocks.words);
  }

  keep({ clientAddress }: PersistenceRequest, member: Member<T>): void {
    if (clientAddress === undefined || !this.#blocks.read(clientAddress)) return;
    this.#members.keep(this.#blocks.words, member.id);
  }

  forget(member: Member<T>): void {
    this.#members.forget(member.id);
  }
}
