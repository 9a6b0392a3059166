import { SpecError } from '../core/errors.ts';
import type { Member } from '../core/member.ts';
import { at, boolean, duration, Fields, oneOf } from '../core/spec.ts';
import { BuiltInPersistence } from './built-in-persistence.ts';
import { firstCookie, pathMatches, setCookieValue, withoutCookie } from './cookies/cookie-field.ts';
import { cookieDomain, cookieName, cookiePath, secret } from './cookies/cookie-spec.ts';
import { type CookieValues, cookieValueOf } from './cookies/cookie-values.ts';
import type { HttpPersistence, Persistence, PersistenceRequest, PersistenceTable } from './persistence.ts';

/** The cookie that tells which member a client is on. */
export interface HttpCookiePersistenceSpec {
  /**
   * A token of 1 to 255 characters. Pools that the same clients reach at one host name need one each. What `__Host-` and
   * `__Secure-` at its beginning demand is demanded here, too. Default `'SRV'`.
   */
  readonly name?: string | null;
  /** `'opaque'`: a hash of the member's id; `'id'`: the id, as in Octavia. Default `'opaque'`. */
  readonly value?: 'opaque' | 'id' | null;
  /**
   * 16 to 1024 characters, the same for all balancers that are to honour each other's cookies. With it, nobody can make a
   * cookie, or find out whether a guessed id is right. A new one makes all cookies out there worthless. Default: none.
   */
  readonly secret?: string | null;
  /** Only requests below it have the cookie, and are given one. Default `'/'`. */
  readonly path?: string | null;
  /** A host name; the cookie is then sent to all names below it, too. Default: only the host that set it. */
  readonly domain?: string | null;
  /**
   * Milliseconds after which the client drops the cookie and is balanced anew, whether it was here in the meantime or not; 1000
   * to 2147483647, in whole seconds. Default: when the browser is closed.
   */
  readonly maxAge?: number | null;
  /** Sent over TLS only. Default false. */
  readonly secure?: boolean | null;
  /** Hidden from scripts. Default true. */
  readonly httpOnly?: boolean | null;
  /** Default: not said, which browsers take for `'lax'`. `'none'` needs `secure`. */
  readonly sameSite?: 'strict' | 'lax' | 'none' | null;
}

interface HttpCookieSettings extends CookieValues {
  readonly cookie: string;
  readonly path: string;
  /** What follows the value in `Set-Cookie`. */
  readonly attributes: string;
}

/**
 * A cookie of our own that names the member: Octavia's `HTTP_COOKIE`, HAProxy's `cookie SRV insert indirect nocache`. It is set
 * only where the client comes without one, or with one of another member; members see nothing of it, and cannot set one of that
 * name. Nothing is remembered here, so any balancer with the same settings honours it, also after a restart.
 *
 * Cost: a search of the cookies and a lookup (0.14 µs), once more to strip them; 5 µs for each member that joins. Throws
 * `SpecError`.
 */
export function httpCookiePersistence<T = unknown>(spec: HttpCookiePersistenceSpec = {}): Persistence<T> {
  return readHttpCookiePersistence(new Fields(spec, '', httpCookiePersistenceNames));
}

export const httpCookiePersistenceNames = [
  'name',
  'value',
  'secret',
  'path',
  'domain',
  'maxAge',
  'secure',
  'httpOnly',
  'sameSite',
] as const;

type CookieFields = Fields<(typeof httpCookiePersistenceNames)[number]>;

export function readHttpCookiePersistence<T>(fields: CookieFields): Persistence<T> {
  const cookie = fields.read('name', cookieName, 'SRV');
  const path = fields.read('path', cookiePath, '/');
  return new HttpCookiePersistence({
    cookie,
    path,
    value: fields.read('value', oneOf<'opaque' | 'id'>(['opaque', 'id']), 'opaque'),
    secret: fields.read('secret', secret, undefined),
    attributes: readAttributes(fields, cookie, path),
  });
}

function readAttributes(fields: CookieFields, name: string, path: string): string {
  const domain = fields.read('domain', cookieDomain, undefined);
  const maxAge = fields.read('maxAge', duration(1000), undefined);
  const secure = fields.read('secure', boolean, false);
  const sameSite = fields.read('sameSite', oneOf(['strict', 'lax', 'none']), undefined);
  const isForHost = name.startsWith('__Host-');
  if (!secure && (sameSite === 'none' || isForHost || name.startsWith('__Secure-'))) {
    throw new SpecError(
      at(fields.path, 'secure'),
      secure,
      `true, as ${sameSite === 'none' ? "sameSite 'none'" : name} demands`,
    );
  }
  if (isForHost && (path !== '/' || domain !== undefined)) {
    throw new SpecError(at(fields.path, 'name'), name, "no '__Host-' beside a path or a domain");
  }
  let attributes = `; Path=${path}`;
  if (domain !== undefined) attributes += `; Domain=${domain}`;
  if (maxAge !== undefined) attributes += `; Max-Age=${Math.floor(maxAge / 1000)}`;
  if (fields.read('httpOnly', boolean, true)) attributes += '; HttpOnly';
  if (secure) attributes += '; Secure';
  if (sameSite !== undefined) attributes += `; SameSite=${sameSite[0]?.toUpperCase()}${sameSite.slice(1)}`;
  return attributes;
}

class HttpCookiePersistence<T> extends BuiltInPersistence<T, HttpCookieSettings> {
  constructor(settings: HttpCookieSettings) {
    super('http-cookie', settings, true);
  }

  override start(): PersistenceTable<T> {
    return new HttpCookieTable(this.settings());
  }
}

/** What a cookie may be worth: one value for each member, made when it joins, so that reading one is a lookup. */
class HttpCookieTable<T> implements PersistenceTable<T>, HttpPersistence<T> {
  readonly #settings: HttpCookieSettings;
  readonly #values = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  readonly #idOf = (value: string): string | undefined => this.#ids.get(value);

  constructor(settings: HttpCookieSettings) {
    this.#settings = settings;
  }

  get http(): HttpPersistence<T> {
    return this;
  }

  find(request: PersistenceRequest): string | undefined {
    const cookies = request.header?.('cookie');
    return cookies === undefined ? undefined : firstCookie(cookies, this.#settings.cookie, this.#idOf);
  }

  keep(): void {
    // The client does, once it has its cookie.
  }

  joined(member: Member<T>): void {
    this.#valueOf(member.id);
  }

  forget({ id }: Member<T>): void {
    const value = this.#values.get(id);
    if (value === undefined) return;
    this.#values.delete(id);
    this.#ids.delete(value);
  }

  forwarded(cookies: string): string {
    return withoutCookie(cookies, this.#settings.cookie);
  }

  answered(cookie: string): boolean {
    return setCookieValue(cookie, this.#settings.cookie) === undefined;
  }

  /** None where the client would not send it: it would take the place of one that leads elsewhere. */
  cookieFor(member: Member<T>, requestPath: string): string | undefined {
    const { cookie, path, attributes } = this.#settings;
    if (!pathMatches(requestPath, path)) return undefined;
    return `${cookie}=${this.#valueOf(member.id)}${attributes}`;
  }

  #valueOf(id: string): string {
    let value = this.#values.get(id);
    if (value === undefined) {
      value = cookieValueOf(id, this.#settings);
      this.#values.set(id, value);
      this.#ids.set(value, id);
    }
    return value;
  }
}
