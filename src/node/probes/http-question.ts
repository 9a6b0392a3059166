import type { Socket } from 'node:net';
import { formatEndpoint, isUnix } from '../../core/address.ts';
import { type Finding, judgeFor } from '../../health/answer-judge.ts';
import type { HttpCheck } from '../../health/http-check.ts';
import { leave, leaveLast } from './leave.ts';
import type { Verdict } from './visit.ts';

/** What an HTTP check says to a member. */
export class HttpQuestion {
  readonly #check: HttpCheck;

  constructor(check: HttpCheck) {
    this.#check = check;
  }

  /**
   * Asks over a connection that stands. Its own words and not `node:http`'s, since the first status line counts, also an interim
   * one (102, say), as in HAProxy. A redirect is an answer like any other.
   */
  ask(stream: Socket, address: string, port: number, verdict: Verdict): void {
    const judge = judgeFor(this.#check);
    const conclude = (finding: Finding): void => {
      if (finding === 'more') return;
      stream.off('data', read).off('end', end);
      verdict(finding === 'fine' ? undefined : new Error(finding.wrong));
      if (finding === 'fine' || finding.isHttp) leaveLast(stream);
      else leave(stream);
    };
    const read = (chunk: Buffer): void => conclude(judge.read(chunk));
    const end = (): void => conclude(judge.end());
    stream.on('data', read).on('end', end);
    stream.write(this.#request(address, port));
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
