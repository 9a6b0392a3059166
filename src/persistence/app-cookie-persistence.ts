import type { Member } from '../core/member.ts';
import { boolean, Fields } from '../core/spec.ts';
import { loadText, words as textWords } from '../strategies/hash/text-words.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import { BuiltInPersistence } from './built-in-persistence.ts';
import { firstCookie, isRemoval, setCookieValue } from './cookies/cookie-field.ts';
import { cookieName } from './cookies/cookie-spec.ts';
import type { HttpPersistence, Persistence, PersistenceRequest, PersistenceTable } from './persistence.ts';
import { halfSipHash, randomKey } from './table/half-sip-hash.ts';
import { MemberTable } from './table/member-table.ts';
import { readTableLimits, type TableLimitsSpec } from './table/table-limits-spec.ts';

/** The default of `timeout` is 10800000: three hours. */
export interface AppCookiePersistenceSpec extends TableLimitsSpec {
  /** The application's cookie, `JSESSIONID` for example: a token of 1 to 255 characters. */
  readonly name: string;
  /**
   * Whether a value that a client brings, and nobody here has seen, is remembered, too: sessions then survive a restart of the
   * balancer, but any client can fill the table with values that it makes up. Default false: only what members set.
   */
  readonly learnsFromRequests?: boolean | null;
}

interface AppCookieSettings {
  readonly cookie: string;
  readonly learnsFromRequests: boolean;
  readonly timeout: number;
  readonly maxEntries: number;
}

/** As LBaaS v1 had it (`appsession name len 56 timeout 3h`). */
const threeHours = 10_800_000;

/**
 * The member that has set the client's session cookie; Octavia's `APP_COOKIE`, nginx's `sticky learn`. The cookie itself is the
 * application's business and goes both ways untouched.
 *
 * Values are remembered as hashes of 128 bits (four times HalfSipHash, each with a key of its own), however long they are, so
 * that no session can be read from the table and none keeps a request's head in memory. Cost: 0.3 µs for a value of 32
 * characters, and see `MemberTable`. Throws `SpecError`.
 */
export function appCookiePersistence<T = unknown>(spec: AppCookiePersistenceSpec): Persistence<T> {
  return readAppCookiePersistence(new Fields(spec, '', appCookiePersistenceNames));
}

export const appCookiePersistenceNames = ['name', 'timeout', 'maxEntries', 'learnsFromRequests'] as const;

export function readAppCookiePersistence<T>(
  fields: Fields<(typeof appCookiePersistenceNames)[number]>,
): Persistence<T> {
  return new AppCookiePersistence({
    cookie: fields.require('name', cookieName),
    learnsFromRequests: fields.read('learnsFromRequests', boolean, false),
    ...readTableLimits(fields, threeHours),
  });
}

class AppCookiePersistence<T> extends BuiltInPersistence<T, AppCookieSettings> {
  constructor(settings: AppCookieSettings) {
    super('app-cookie', settings, true);
  }

  override start(context: StrategyContext, previous?: PersistenceTable<T>): PersistenceTable<T> {
    if (previous instanceof AppCookieTable && previous.adopts(this.settings())) return previous;
    return new AppCookieTable(this.settings(), context);
  }
}

class AppCookieTable<T> implements PersistenceTable<T>, HttpPersistence<T> {
  #settings: AppCookieSettings;
  readonly #members: MemberTable;
  /** Those that the pool has: what one that has left it says of a session is of no more use. */
  readonly #present = new Set<Member<T>>();
  readonly #hashKeys: Int32Array;
  /** The hash of the value in question. */
  readonly #words = new Int32Array(4);
  readonly #memberOf = (value: string): string | undefined =>
    this.#hash(value) ? this.#members.find(this.#words) : undefined;
  readonly #isKnown = (value: string): true | undefined =>
    this.#hash(value) && this.#members.has(this.#words) ? true : undefined;
  readonly #isAny = (value: string): true | undefined => (this.#hash(value) ? true : undefined);

  constructor(settings: AppCookieSettings, context: StrategyContext) {
    this.#settings = settings;
    this.#members = new MemberTable(settings, context);
    this.#hashKeys = Int32Array.from({ length: 8 }, () => randomKey(context.random));
  }

  get http(): HttpPersistence<T> {
    return this;
  }

  get size(): number {
    return this.#members.size;
  }

  get evicted(): number {
    return this.#members.evicted;
  }

  /** Goes on under other settings, where the cookie is the same. */
  adopts(settings: AppCookieSettings): boolean {
    if (settings.cookie !== this.#settings.cookie) return false;
    this.#settings = settings;
    this.#members.limits = settings;
    return true;
  }

  find(request: PersistenceRequest): string | undefined {
    return this.#first(request, this.#memberOf);
  }

  /** A session whose member is down moves, and stays there; one that nobody here knows is the member's to begin. */
  keep(request: PersistenceRequest, member: Member<T>): void {
    const isOurs =
      this.#first(request, this.#isKnown) ?? (this.#settings.learnsFromRequests && this.#first(request, this.#isAny));
    if (isOurs) this.#members.keep(this.#words, member.id);
  }

  joined(member: Member<T>): void {
    this.#present.add(member);
  }

  forget(member: Member<T>): void {
    this.#present.delete(member);
    this.#members.forget(member.id);
  }

  forwarded(cookies: string): string {
    return cookies;
  }

  answered(cookie: string, member: Member<T>): boolean {
    const value = setCookieValue(cookie, this.#settings.cookie);
    if (value === undefined || isRemoval(cookie) || !this.#present.has(member)) return true;
    if (this.#hash(value)) this.#members.keep(this.#words, member.id);
    return true;
  }

  cookieFor(): undefined {
    return undefined;
  }

  #first<Found>(request: PersistenceRequest, accept: (value: string) => Found | undefined): Found | undefined {
    const cookies = request.header?.('cookie');
    return cookies === undefined ? undefined : firstCookie(cookies, this.#settings.cookie, accept);
  }

  /** False where there is nothing to hash. */
  #hash(value: string): boolean {
    if (value === '') return false;
    const length = loadText(value);
    const keys = this.#hashKeys;
    for (let word = 0; word < 4; word++) {
      this.#words[word] = halfSipHash(textWords, 0, length, keys[2 * word] as number, keys[2 * word + 1] as number);
    }
    return true;
  }
}
