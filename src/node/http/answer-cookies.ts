import type { Member } from '../../core/member.ts';
import { fieldOf } from '../../http1/field-of.ts';
import type { AnswerChanges } from '../../http1/response-forwarding.ts';
import type { ResponseHead } from '../../http1/response-head.ts';
import { mayBeShared } from '../../persistence/cookies/cacheability.ts';
import type { HttpPersistence } from '../../persistence/persistence.ts';

/** What persistence changes in a member's answer. */
export class AnswerCookies<T> implements AnswerChanges {
  readonly #http: HttpPersistence<T>;
  readonly #member: Member<T>;
  readonly #isKept: boolean;
  readonly #request: { readonly method: string; readonly path: string };
  readonly #head: ResponseHead;

  /** @param isKept whether the client came with what led it to this member */
  constructor(
    http: HttpPersistence<T>,
    member: Member<T>,
    isKept: boolean,
    request: { readonly method: string; readonly path: string },
    head: ResponseHead,
  ) {
    this.#http = http;
    this.#member = member;
    this.#isKept = isKept;
    this.#request = request;
    this.#head = head;
  }

  passes(cookie: string): boolean {
    return this.#http.answered(cookie, this.#member);
  }

  added(): string {
    const cookie = this.#isKept ? undefined : this.#http.cookieFor(this.#member, this.#request.path);
    if (cookie === undefined) return '';
    return `Set-Cookie: ${cookie}\r\n${this.#isShareable ? 'Cache-Control: private\r\n' : ''}`;
  }

  get #isShareable(): boolean {
    const { status, text } = this.#head;
    return mayBeShared({ method: this.#request.method, status, header: (name) => fieldOf(text, name) });
  }
}
