/** `words`, by a name that V8 need not look up each time, see `xxHash64`. */
const buffer = new Int32Array(4096);

/**
 * The bytes of the text that is being hashed, four to a word, the first one lowest on every machine; zero behind the last one up
 * to the end of its word. Kept, so that hashing allocates nothing.
 */
export const words: Int32Array = buffer;

/** The longest text that always fits: no unit of UTF-16 becomes more than three bytes, and eight are for `appendNumber`. */
export const longest: number = Math.floor((4 * buffer.length - 8) / 3);

/** `words`, or where a text may not fit, an array of its own. */
export function wordsFor(text: string): Int32Array {
  return text.length <= longest ? buffer : new Int32Array(text.length + 2);
}

/**
 * Puts the UTF-8 bytes of a text into `to`. A lone surrogate counts as U+FFFD, as everywhere on the web.
 *
 * @param to as `wordsFor` gives it
 * @returns how many bytes there are
 */
export function loadText(text: string, to: Int32Array = buffer): number {
  const { length } = text;
  let seen = 0;
  let index = 0;
  let word = 0;
  for (; index + 3 < length; index += 4) {
    const first = text.charCodeAt(index);
    const second = text.charCodeAt(index + 1);
    const third = text.charCodeAt(index + 2);
    const fourth = text.charCodeAt(index + 3);
    seen |= first | second | third | fourth;
    to[word++] = first | (second << 8) | (third << 16) | (fourth << 24);
  }
  let last = 0;
  for (let shift = 0; index < length; index++, shift += 8) {
    const unit = text.charCodeAt(index);
    seen |= unit;
    last |= unit << shift;
  }
  to[word] = last;
  return seen < 0x80 ? length : loadUtf8(text, to);
}

/**
 * Puts the decimal digits of a number behind the bytes that are there already.
 *
 * @param number an integer, 0 to 99999999
 * @returns how many bytes there are now
 */
export function appendNumber(length: number, number: number, to: Int32Array = buffer): number {
  let unit = 1;
  while (10 * unit <= number) unit *= 10;
  let at = length;
  for (let rest = number; unit >= 1; unit /= 10) {
    const digit = Math.floor(rest / unit);
    putByte(to, at++, 48 + digit);
    rest -= digit * unit;
  }
  return at;
}

function loadUtf8(text: string, to: Int32Array): number {
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index);
    if ((code & 0xf800) === 0xd800) {
      const low = code < 0xdc00 ? text.charCodeAt(index + 1) : 0;
      const isPair = (low & 0xfc00) === 0xdc00;
      code = isPair ? 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff) : 0xfffd;
      if (isPair) index++;
    }
    if (code < 0x80) {
      putByte(to, length++, code);
    } else if (code < 0x800) {
      putByte(to, length++, 0xc0 | (code >>> 6));
      putByte(to, length++, 0x80 | (code & 0x3f));
    } else {
      if (code < 0x10000) {
        putByte(to, length++, 0xe0 | (code >>> 12));
      } else {
        putByte(to, length++, 0xf0 | (code >>> 18));
        putByte(to, length++, 0x80 | ((code >>> 12) & 0x3f));
      }
      putByte(to, length++, 0x80 | ((code >>> 6) & 0x3f));
      putByte(to, length++, 0x80 | (code & 0x3f));
    }
  }
  if ((length & 3) === 0) to[length >>> 2] = 0;
  return length;
}

/** Puts a byte at a place and zeros behind it, up to the end of the word. */
function putByte(to: Int32Array, at: number, byte: number): void {
  const word = at >>> 2;
  const shift = (at & 3) * 8;
  const before = shift === 0 ? 0 : (to[word] as number) & (0xffffffff >>> (32 - shift));
  to[word] = before | (byte << shift);
}
