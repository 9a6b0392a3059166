import { hmacSha256 } from './sha-256.ts';

/** What a cookie says of a member. */
export interface CookieValues {
  /** `'opaque'`: a hash, from which nobody learns anything; `'id'`: the member's id. */
  readonly value: 'opaque' | 'id';
  readonly secret: string | undefined;
}

/** Without a secret, who guesses a member's id can at least find out whether the guess is right. */
const nobodysSecret = 'evenkeel';

const encoder = new TextEncoder();

/** The value that stands for a member, the same in every process that has the same settings. */
export function cookieValueOf(memberId: string, { value, secret }: CookieValues): string {
  if (value === 'id' && secret === undefined) return encoded(memberId);
  const tag = base64Url(hmacSha256(encoder.encode(secret ?? nobodysSecret), encoder.encode(memberId)).subarray(0, 16));
  return value === 'id' ? `${encoded(memberId)}.${tag}` : tag;
}

/** What a cookie cannot hold (RFC 6265, section 4.1.1: cookie-octet), and the percent sign, as in a URI. */
function encoded(text: string): string {
  let value = '';
  for (const byte of encoder.encode(text)) {
    const character = String.fromCharCode(byte);
    const isPlain = /[!#$&-+\--:<-[\]-~]/.test(character);
    value += isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return value;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** RFC 4648, section 5, without padding. */
function base64Url(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const left = bytes.length - at;
    for (let digit = 0; digit < Math.min(4, left + 1); digit++) text += alphabet[(bits >>> (18 - 6 * digit)) & 63];
  }
  return text;
}
