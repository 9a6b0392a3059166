import { defaultLimits } from '../http1/limits.ts';
import { MessageReader, responseFraming } from '../http1/message-reader.ts';
import { ResponseHead } from '../http1/response-head.ts';
import { BodySearch, type ExpectedBody } from './expected-body.ts';
import { expects } from './http-check.ts';
import { statusOf } from './status-line.ts';

/** What is known of an answer: more must come, it is fine, or what is wrong with it. */
export type Finding = 'more' | 'fine' | { readonly wrong: string; readonly isHttp: boolean };

/** Judges one answer of a member, wherever it is cut. */
export interface AnswerJudge {
  read(bytes: Uint8Array): Finding;
  /** The member has ended; never `more`. */
  end(): Exclude<Finding, 'more'>;
}

/** What makes a good answer. */
interface Expected extends ExpectedBody {
  readonly expectedCodes: string;
}

export function judgeFor(expected: Expected): AnswerJudge {
  return expected.expectBody === undefined ? new StatusJudge(expected) : new BodyJudge(expected);
}

function objectionTo(status: number, expectedCodes: string): Finding & object {
  return { wrong: `answered ${status}, expected ${expectedCodes}`, isHttp: true };
}

/** Goes by the first status line, also an interim one (102, say), as HAProxy does. */
class StatusJudge implements AnswerJudge {
  readonly #codes: string;
  readonly #expects: (code: number) => boolean;
  #answer = '';

  constructor({ expectedCodes }: Expected) {
    this.#codes = expectedCodes;
    this.#expects = expects(expectedCodes);
  }

  read(bytes: Uint8Array): Finding {
    this.#answer += latin1(bytes, 0, bytes.length);
    const status = statusOf(this.#answer);
    if (status === 'not-http') return { wrong: 'the answer is not HTTP', isHttp: false };
    if (status === 'incomplete') return 'more';
    return this.#expects(status) ? 'fine' : objectionTo(status, this.#codes);
  }

  end(): Exclude<Finding, 'more'> {
    const wrong = this.#answer === '' ? 'closed without an answer' : 'closed within the status line';
    return { wrong, isHttp: false };
  }
}

/** Goes by the final answer's status and body. */
class BodyJudge implements AnswerJudge {
  readonly #codes: string;
  readonly #expects: (code: number) => boolean;
  readonly #search: BodySearch;
  readonly #head = new ResponseHead(defaultLimits, latin1);
  readonly #reader = new MessageReader(this.#head, (head) => responseFraming(head, false));
  #isEmpty = true;

  constructor(expected: Expected) {
    this.#codes = expected.expectedCodes;
    this.#expects = expects(expected.expectedCodes);
    this.#search = new BodySearch(expected);
    this.#reader.keepsFraming = false;
  }

  read(bytes: Uint8Array): Finding {
    this.#isEmpty = false;
    const reader = this.#reader;
    reader.push(bytes, 0, bytes.length);
    for (let found = reader.next(); found !== 'more'; found = reader.next()) {
      const { status } = this.#head;
      if (found === 'failed') return { wrong: reader.error?.reason ?? 'the answer is not HTTP', isHttp: false };
      if (status < 200 && status !== 101) continue;
      if (found === 'head' && !this.#expects(status)) return objectionTo(status, this.#codes);
      if (found === 'body' && this.#search.push(reader.bytes.subarray(reader.start, reader.end)))
        return this.#conclude();
      if (found === 'end') return this.#conclude();
    }
    return 'more';
  }

  end(): Exclude<Finding, 'more'> {
    if (!this.#isEmpty && this.#reader.framing === 'close' && this.#reader.mayEnd) return this.#conclude();
    return { wrong: this.#isEmpty ? 'closed without an answer' : 'closed within the answer', isHttp: false };
  }

  #conclude(): Exclude<Finding, 'more'> {
    const wrong = this.#search.end();
    return wrong === undefined ? 'fine' : { wrong, isHttp: true };
  }
}

/** A character for each byte: few, and seldom. */
function latin1(bytes: Uint8Array, start: number, stop: number): string {
  let text = '';
  for (let at = start; at < stop; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}
