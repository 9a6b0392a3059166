import { alphanumericByte } from './bytes.ts';

/**
 * Header fields that mean something to a balancer. A head's fields are told apart once, when they are read; everything later
 * compares small integers.
 */

export const other = 0;
export const host = 1;
export const connection = 2;
export const contentLength = 3;
export const transferEncoding = 4;
export const upgrade = 5;
export const expect = 6;
export const te = 7;
export const trailer = 8;
export const keepAlive = 9;
export const via = 10;
export const forwarded = 11;
export const xForwardedFor = 12;
export const xForwardedPort = 13;
export const xForwardedProto = 14;
export const xRequestId = 15;
export const accept = 16;
/** Meant for this hop only, or for nobody: never passed on. */
export const dropped = 17;
/** Claims to know where the client is, or what it asked for: passed on only from those who are trusted to know. */
export const claim = 18;
/** What a member says of its load. */
export const endpointLoadMetrics = 19;
/** Claims to know the client's certificate: passed on only from those who are trusted to know. */
export const certificateClaim = 20;
export const cookie = 21;
export const setCookie = 22;
/** How many kinds there are. */
export const kinds = 23;

const names: readonly (readonly [name: string, kind: number])[] = [
  ['host', host],
  ['connection', connection],
  ['content-length', contentLength],
  ['transfer-encoding', transferEncoding],
  ['upgrade', upgrade],
  ['expect', expect],
  ['te', te],
  ['trailer', trailer],
  ['keep-alive', keepAlive],
  ['via', via],
  ['forwarded', forwarded],
  ['x-forwarded-for', xForwardedFor],
  ['x-forwarded-port', xForwardedPort],
  ['x-forwarded-proto', xForwardedProto],
  ['x-request-id', xRequestId],
  ['accept', accept],
  ['endpoint-load-metrics', endpointLoadMetrics],
  ['cookie', cookie],
  ['set-cookie', setCookie],
  ['proxy-connection', dropped],
  ['proxy-authorization', dropped],
  ['proxy-authenticate', dropped],
  ['proxy-authentication-info', dropped],
  // An upgrade to h2c would take every later request of the client out of our sight; neither is passed on.
  ['http2-settings', dropped],
  // What CGI makes of it, `HTTP_PROXY`, many programs take for a setting of their own ("httpoxy").
  ['proxy', dropped],
  ['client-ip', claim],
  ['x-client-ip', claim],
  ['x-cluster-client-ip', claim],
  ['x-forwarded', claim],
  ['x-real-ip', claim],
];

interface Known {
  readonly codes: Uint8Array;
  readonly kind: number;
}

/**
 * What starts so is a claim if it is nothing else: `X-Forwarded-Host`, `-Ssl`, `-Scheme`, `-Server`, `-Prefix`, whatever a framework
 * believes; and what a balancer says of the client's certificate.
 */
const claimPrefixes: readonly Known[] = [
  { codes: codesOf('x-forwarded-'), kind: claim },
  { codes: codesOf('x-ssl-'), kind: certificateClaim },
];

const byLength: (Known[] | undefined)[] = [];
for (const [name, kind] of names) {
  const others = byLength[name.length] ?? [];
  others.push({ codes: codesOf(name), kind });
  byLength[name.length] = others;
}

const hyphen = 0x2d;

/**
 * Which of these a name is, whatever its case. CGI and its heirs read an underscore, some of them any punctuation, as a hyphen, so
 * `Transfer_Encoding` could mean to a member what it does not mean here: such a name is `dropped` (nginx drops every name with an
 * underscore).
 */
export function fieldOf(bytes: Uint8Array, start: number, end: number): number {
  const candidates = byLength[end - start];
  if (candidates !== undefined) {
    for (const { codes, kind } of candidates) {
      const match = compare(bytes, start, codes);
      if (match !== different) return match === alike ? kind : dropped;
    }
  }
  for (const { codes, kind } of claimPrefixes) {
    if (end - start < codes.length) continue;
    const match = compare(bytes, start, codes);
    if (match !== different) return match === alike ? kind : dropped;
  }
  return other;
}

const different = 0;
const alike = 1;
const spelledOdd = 2;

function compare(bytes: Uint8Array, start: number, codes: Uint8Array): number {
  let match = alike;
  for (let at = 0; at < codes.length; at++) {
    const byte = bytes[start + at] as number;
    if ((byte | 0x20) === codes[at]) continue;
    if (codes[at] !== hyphen || alphanumericByte[byte] === 1) return different;
    match = spelledOdd;
  }
  return match;
}

function codesOf(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0));
}

/**
 * Fields that mean something in a head and could deceive in a trailer, whose recipients may take the two together: RFC 7230, section
 * 4.1.2, gives the list. Those that are told apart above do not go on in a trailer either.
 */
const headOnly: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'set-cookie',
  'vary',
  'warning',
  'www-authenticate',
]);

/** Whether a field that is none of the above may go on in a trailer. */
export function mayTrail(name: string): boolean {
  return !headOnly.has(name.toLowerCase().replaceAll(/[^\da-z]/g, '-'));
}
