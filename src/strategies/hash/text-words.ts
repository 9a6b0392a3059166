/**
 * The bytes of the text that is being hashed, four to a word, the first one lowest on every machine; zero behind the last one up
 * to the end of its word. It grows to the longest text, and is kept, so that hashing allocates nothing.
 */
export let words: Int32Array = new Int32Array(64);

/**
 * Puts the UTF-8 bytes of a text into `words`. A lone surrogate counts as U+FFFD, as everywhere on the web.
 *
 * @returns how many bytes there are
 */
export function loadText(text: string): number {
  const { length } = text;
  // No unit of UTF-16 becomes more than three bytes.
  if (3 * length + 8 > 4 * words.length) words = new Int32Array(length + 64);
  const to = words;
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
  return seen < 0x80 ? length : loadUtf8(text);
}

/**
 * Puts the decimal digits of a number behind the bytes that are there already.
 *
 * @param number an integer, 0 and up
 * @returns how many bytes there are now
 */
export function appendNumber(length: number, number: number): number {
  let unit = 1;
  while (10 * unit <= number) unit *= 10;
  let at = length;
  for (let rest = number; unit >= 1; unit /= 10) {
    const digit = Math.floor(rest / unit);
    putByte(at++, 48 + digit);
    rest -= digit * unit;
  }
  return at;
}

function loadUtf8(text: string): number {
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
      putByte(length++, code);
    } else if (code < 0x800) {
      putByte(length++, 0xc0 | (code >>> 6));
      putByte(length++, 0x80 | (code & 0x3f));
    } else {
      if (code < 0x10000) {
        putByte(length++, 0xe0 | (code >>> 12));
      } else {
        putByte(length++, 0xf0 | (code >>> 18));
        putByte(length++, 0x80 | ((code >>> 12) & 0x3f));
      }
      putByte(length++, 0x80 | ((code >>> 6) & 0x3f));
      putByte(length++, 0x80 | (code & 0x3f));
    }
  }
  if ((length & 3) === 0) words[length >>> 2] = 0;
  return length;
}

/** Puts a byte at a place and zeros behind it, up to the end of the word. */
function putByte(at: number, byte: number): void {
  const word = at >>> 2;
  const shift = (at & 3) * 8;
  const before = shift === 0 ? 0 : (words[word] as number) & (0xffffffff >>> (32 - shift));
  words[word] = before | (byte << shift);
}
