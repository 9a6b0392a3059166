/**
 * Reads an IP literal (`10.0.0.1`, `2001:db8::1`, `::ffff:10.0.0.1`, `fe80::1%eth0`) into four words of 32 bits, the highest first;
 * IPv4 as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2), and a zone is left out. False where the text is none, and then the words
 * mean nothing.
 *
 * Digit by digit, in a tenth of the time that splitting takes and without allocating: this is done for every client.
 */
export function readIp(text: string, words: Int32Array): boolean {
  if (!readIPv4(text, 0, text.length, words, 3)) return readIPv6(text, words);
  words[0] = words[1] = 0;
  words[2] = mapped;
  return true;
}

/** Whether it is IPv4, however it was written. */
export function isIPv4(words: Int32Array): boolean {
  return ((words[0] as number) | (words[1] as number)) === 0 && words[2] === mapped;
}

const mapped = 0xffff;
const dot = 0x2e;
const colon = 0x3a;
const percent = 0x25;
/** RFC 6874, section 2. */
const zoneName = /^[a-z0-9._~-]+$/i;
/** What a character of ASCII is worth as a hexadecimal digit; -1 where it is none. */
const hexDigits = Int8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? -1 : digit;
});

/** Of a word, the leading bits that count, where so many count from its beginning: 0 and less for none, 32 and more for all. */
export function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

/** Four octets without leading zeros; digit by digit, which is a third faster than a loop with a state. */
function readIPv4(text: string, from: number, to: number, words: Int32Array, word: number): boolean {
  let value = 0;
  let at = from;
  for (let octets = 1; octets <= 4; octets++) {
    if (at >= to) return false;
    let octet = (text.charCodeAt(at) - 0x30) >>> 0;
    if (octet > 9) return false;
    at++;
    let digit = at < to ? (text.charCodeAt(at) - 0x30) >>> 0 : 10;
    if (digit <= 9) {
      if (octet === 0) return false;
      octet = octet * 10 + digit;
      at++;
      digit = at < to ? (text.charCodeAt(at) - 0x30) >>> 0 : 10;
      if (digit <= 9) {
        octet = octet * 10 + digit;
        at++;
        if (octet > 255) return false;
      }
    }
    value = (value << 8) | octet;
    if (octets < 4 && (at >= to || text.charCodeAt(at++) !== dot)) return false;
  }
  words[word] = value;
  return at === to;
}

/** Those of too long an address are counted, but there is no place for them. */
const groups = new Int32Array(8);

function readIPv6(text: string, words: Int32Array): boolean {
  const { length } = text;
  let count = 0;
  /** Before which group `::` stands. */
  let gap = -1;
  let group = 0;
  let digits = 0;
  /** How many of them have just been read. */
  let colons = 0;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    const digit = code < 128 ? (hexDigits[code] as number) : -1;
    if (digit >= 0) {
      if (digits === 0 && colons === 1 && count === 0) return false;
      group = (group << 4) | digit;
      if (++digits > 4) return false;
      colons = 0;
    } else if (code === colon) {
      if (digits > 0) {
        groups[count++] = group;
        group = digits = 0;
      }
      colons++;
      if (colons > 2 || (colons === 2 && gap >= 0)) return false;
      if (colons === 2) gap = count;
    } else if (code === dot) {
      const end = endOfIPv4(text, at);
      if (!readIPv4(text, at - digits, end, words, 3)) return false;
      if (end < length && !zoneName.test(text.slice(end + 1))) return false;
      groups[count++] = (words[3] as number) >>> 16;
      group = (words[3] as number) & 0xffff;
      break;
    } else if (code === percent) {
      if (!zoneName.test(text.slice(at + 1))) return false;
      break;
    } else {
      return false;
    }
  }
  if (digits > 0) groups[count++] = group;
  else if (colons !== 2) return false;
  if (gap < 0 ? count !== 8 : count > 7) return false;
  if (gap >= 0) spread(count, gap);
  for (let word = 0; word < 4; word++) {
    words[word] = ((groups[2 * word] as number) << 16) | (groups[2 * word + 1] as number);
  }
  return true;
}

function endOfIPv4(text: string, dotAt: number): number {
  const zone = text.indexOf('%', dotAt);
  return zone < 0 ? text.length : zone;
}

/** Moves the groups behind `::` to the end, and puts zeros in between. */
function spread(count: number, gap: number): void {
  for (let from = count - 1, to = 7; to >= gap; from--, to--) groups[to] = from >= gap ? (groups[from] as number) : 0;
}
