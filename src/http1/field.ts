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
/** Means something in a head and could deceive in a trailer (RFC 9110, section 6.5.1). */
export const headOnly = 18;

/** Claims to know where the client is: passed on only from those who are trusted to. */
export const claim = 19;
/** How many kinds there are. */
export const kinds = 20;

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
  ['proxy-connection', dropped],
  ['proxy-authorization', dropped],
  ['proxy-authenticate', dropped],
  ['proxy-authentication-info', dropped],
  // An upgrade to h2c would take every later request of the client out of our sight; neither is passed on.
  ['http2-settings', dropped],
  ['x-forwarded-host', claim],
  ['x-forwarded-ip', claim],
  ['x-client-ip', claim],
  ['x-real-ip', claim],
  ['authorization', headOnly],
  ['cache-control', headOnly],
  ['content-encoding', headOnly],
  ['content-range', headOnly],
  ['content-type', headOnly],
  ['cookie', headOnly],
  ['location', headOnly],
  ['set-cookie', headOnly],
];

interface Known {
  readonly codes: Uint8Array;
  readonly kind: number;
}

const byLength: (Known[] | undefined)[] = [];
for (const [name, kind] of names) {
  const codes = Uint8Array.from(name, (character) => character.charCodeAt(0));
  const others = byLength[name.length] ?? [];
  others.push({ codes, kind });
  byLength[name.length] = others;
}

const underscore = 0x5f;
const hyphen = 0x2d;

/**
 * Which of these a name is, whatever its case. CGI and its heirs read an underscore as a hyphen, so `Transfer_Encoding` could
 * mean to a member what it does not mean here: such a name is `dropped` (nginx drops every name with an underscore).
 */
export function fieldOf(bytes: Uint8Array, start: number, end: number): number {
  const candidates = byLength[end - start];
  if (candidates === undefined) return other;
  for (const { codes, kind } of candidates) {
    let at = 0;
    let isSpelledOdd = false;
    for (; at < codes.length; at++) {
      const byte = bytes[start + at] as number;
      if ((byte | 0x20) === codes[at]) continue;
      if (byte !== underscore || codes[at] !== hyphen) break;
      isSpelledOdd = true;
    }
    if (at === codes.length) return isSpelledOdd ? dropped : kind;
  }
  return other;
}
