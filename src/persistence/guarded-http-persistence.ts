import type { Member } from '../core/member.ts';
import { valueByte } from '../http1/bytes.ts';
import type { HttpPersistence } from './persistence.ts';

/** What the guard asks of the pool. */
interface Host<T> {
  has(member: Member<T>): boolean;
  failed(message: string, cause: unknown): void;
}

/**
 * A persistence's part in messages of HTTP, kept from doing harm where it is a user's: what it throws is told, and what no field may
 * have goes nowhere. Then the message goes on as if there were no persistence.
 */
export class GuardedHttpPersistence<T> implements HttpPersistence<T> {
  readonly #http: HttpPersistence<T>;
  readonly #host: Host<T>;

  constructor(http: HttpPersistence<T>, host: Host<T>) {
    this.#http = http;
    this.#host = host;
  }

  forwarded(cookies: string): string {
    try {
      return fieldValue(this.#http.forwarded(cookies));
    } catch (cause) {
      this.#host.failed('the persistence could not say which cookies go on', cause);
      return cookies;
    }
  }

  answered(cookie: string, member: Member<T>): boolean {
    try {
      return this.#http.answered(cookie, member) !== false;
    } catch (cause) {
      this.#host.failed('the persistence could not take a look at an answer', cause);
      return true;
    }
  }

  /** None for a member that has left the pool while it answered: nobody could make use of it. */
  cookieFor(member: Member<T>, path: string): string | undefined {
    if (!this.#host.has(member)) return undefined;
    try {
      const cookie = this.#http.cookieFor(member, path);
      return cookie === undefined ? undefined : fieldValue(cookie);
    } catch (cause) {
      this.#host.failed('the persistence could not make a cookie', cause);
      return undefined;
    }
  }
}

/** Throws where the text would end its line, or become something else on the wire, where a character is a byte. */
function fieldValue(text: string): string {
  if (typeof text !== 'string') throw new TypeError(`expected a text, and got ${typeof text}`);
  for (let at = 0; at < text.length; at++) {
    if (valueByte[text.charCodeAt(at)] !== 1) throw new TypeError('a character that no field may have');
  }
  return text;
}
