import type { Socket } from 'node:net';
import { formatEndpoint, isUnix } from '../../core/address.ts';
import { expects, type HttpCheck } from '../../health/http-check.ts';
import { leave, leaveLast } from './leave.ts';
import { statusOf } from './status-line.ts';
import type { Verdict } from './visit.ts';

/** What an HTTP check says to a member, and what it takes for a good answer. */
export class HttpQuestion {
  readonly #check: HttpCheck;
  readonly #expects: (code: number) => boolean;

  constructor(check: HttpCheck) {
    this.#check = check;
    this.#expects = expects(check.expectedCodes);
  }

  /**
   * Asks over a connection that stands. Its own words and not `node:http`'s, since the first status line counts, also an interim
   * one (102, say), as in HAProxy. A redirect is an answer like any other.
   */
  ask(stream: Socket, address: string, port: number, verdict: Verdict): void {
    let answer = '';
    const conclude = (failure: Error | undefined, goes: (stream: Socket) => void): void => {
      stream.off('data', read).off('end', end);
      verdict(failure);
      goes(stream);
    };
    const read = (chunk: Buffer): void => {
      answer += chunk.toString('latin1');
      const status = statusOf(answer);
      if (status === 'not-http') conclude(new Error('the answer is not HTTP'), leave);
      else if (status !== 'incomplete') conclude(this.#objectionTo(status), leaveLast);
    };
    const end = (): void => {
      conclude(new Error(answer === '' ? 'closed without an answer' : 'closed within the status line'), leave);
    };
    stream.on('data', read).on('end', end);
    stream.write(this.#request(address, port));
  }

  #objectionTo(status: number): Error | undefined {
    if (this.#expects(status)) return undefined;
    return new Error(`answered ${status}, expected ${this.#check.expectedCodes}`);
  }

  #request(address: string, port: number): string {
    const { httpMethod, urlPath, httpVersion, domainName } = this.#check;
    const lines = [`${httpMethod} ${urlPath} HTTP/${httpVersion.toFixed(1)}`];
    if (httpVersion === 1.1) lines.push(`Host: ${domainName ?? hostOf(address, port)}`);
    lines.push('User-Agent: evenkeel', 'Accept: */*', 'Connection: close');
    if (methodsWithBody.has(httpMethod)) lines.push('Content-Length: 0');
    return `${lines.join('\r\n')}\r\n\r\n`;
  }
}

/** Without a length of its body, a server may answer such a request with 411 (RFC 9110, section 8.6). */
const methodsWithBody = new Set<string>(['POST', 'PUT', 'PATCH']);

/** A Unix socket has no host: any name will do. A zone means something on this machine only (RFC 6874, section 4). */
function hostOf(address: string, port: number): string {
  return isUnix(address) ? 'localhost' : formatEndpoint(address.replace(/%.*/, ''), port);
}
