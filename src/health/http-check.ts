import { isHostName } from '../core/address.ts';
import { SpecError } from '../core/errors.ts';
import { at, type Fields, oneOf } from '../core/spec.ts';
import { type ExpectedBody, type ExpectedBodySpec, readExpectedBody } from './expected-body.ts';

const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'OPTIONS', 'CONNECT', 'PATCH'] as const;

/** What a check may ask with. */
export type HttpMethod = (typeof httpMethods)[number];

/** HTTP/1.0 (a number's text has no `.0`) or HTTP/1.1. */
export type HttpVersion = 1 | 1.1;

/** What an HTTP check asks and which answers it takes, as a user describes it. */
export interface HttpCheckSpec extends ExpectedBodySpec {
  /** Default `'GET'`. */
  readonly httpMethod?: HttpMethod | null;
  /** What is asked for: a path from `/` on, with a query where one is wanted. Default `'/'`. */
  readonly urlPath?: string | null;
  /** The status codes of a member that is fine: one (`'200'`), several (`'200,202'`) or one range (`'200-204'`). Default `'200'`. */
  readonly expectedCodes?: string | null;
  /** 1.0 or 1.1, also as text. Default 1.0. */
  readonly httpVersion?: HttpVersion | '1.0' | '1.1' | null;
  /**
   * The host that is asked for, 1 to 253 characters: the `Host` header, and over TLS the server name too. Needs `httpVersion`
   * 1.1. Default: the member's address and port in 1.1, nothing in 1.0.
   */
  readonly domainName?: string | null;
}

/** A checked HTTP check. */
export interface HttpCheck extends ExpectedBody {
  readonly httpMethod: HttpMethod;
  readonly urlPath: string;
  /** As it was written; `expects()` understands it. */
  readonly expectedCodes: string;
  readonly httpVersion: HttpVersion;
  readonly domainName: string | undefined;
}

export type HttpCheckField = keyof HttpCheckSpec;

export const httpCheckFields: readonly HttpCheckField[] = [
  'httpMethod',
  'urlPath',
  'expectedCodes',
  'httpVersion',
  'domainName',
  'expectBody',
];

const method = oneOf<HttpMethod>(httpMethods);

export function readHttpCheck(fields: Fields<HttpCheckField>): HttpCheck {
  const httpVersion = fields.read('httpVersion', version, 1);
  const domainName = fields.read('domainName', domain, undefined);
  if (domainName !== undefined && httpVersion !== 1.1) {
    throw new SpecError(at(fields.path, 'domainName'), domainName, 'none, or an httpVersion of 1.1, which has a Host');
  }
  const httpMethod = fields.read('httpMethod', method, 'GET');
  return {
    httpMethod,
    urlPath: fields.read('urlPath', urlPath, '/'),
    expectedCodes: fields.read('expectedCodes', codes, '200'),
    httpVersion,
    domainName,
    ...readExpectedBody(fields, httpMethod),
  };
}

/** Tells expected status codes from others. */
export function expects(expectedCodes: string): (code: number) => boolean {
  const range = codeRange.exec(expectedCodes);
  if (range === null) {
    const listed = new Set(expectedCodes.split(',').map(Number));
    return (code) => listed.has(code);
  }
  const [first = 0, last = 0] = range.slice(1).map(Number);
  return (code) => code >= first && code <= last;
}

const codeList = /^[1-5]\d\d(?: *, *[1-5]\d\d)*$/;
const codeRange = /^([1-5]\d\d)-([1-5]\d\d)$/;

function codes(value: unknown, path: string): string {
  if (typeof value === 'string') {
    const range = codeRange.exec(value);
    // Of three digits each, so that they compare as text.
    if (range === null ? codeList.test(value) : (range[1] ?? '') <= (range[2] ?? '')) return value;
  }
  throw new SpecError(path, value, "codes from 100 to 599: '200', '200,202' or one range, '200-204'");
}

/** Visible ASCII but the `#` of a fragment, which is never sent. */
const visiblePath = /^\/[!"$-~]*$/;

function urlPath(value: unknown, path: string): string {
  if (typeof value === 'string' && visiblePath.test(value)) return value;
  throw new SpecError(path, value, "a path from '/' on, of visible ASCII characters without '#'");
}

function version(value: unknown, path: string): HttpVersion {
  if (value === 1 || value === '1.0') return 1;
  if (value === 1.1 || value === '1.1') return 1.1;
  throw new SpecError(path, value, '1.0 or 1.1');
}

function domain(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length <= 253 && isHostName(value)) return value;
  throw new SpecError(path, value, 'a host name of 1 to 253 characters');
}
