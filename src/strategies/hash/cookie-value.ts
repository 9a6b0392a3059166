const equals = 0x3d;
const quote = 0x22;

/**
 * The value of the first cookie of a name in a `cookie` field (RFC 6265 §4.2.1, and white space around names and values as
 * browsers and servers put up with it), without the quotes that may surround it; undefined where there is none.
 */
export function cookieValue(field: string, name: string): string | undefined {
  const { length } = field;
  for (let start = 0; start < length; ) {
    let end = field.indexOf(';', start);
    if (end < 0) end = length;
    while (start < end && isBlank(field.charCodeAt(start))) start++;
    if (field.startsWith(name, start)) {
      let at = start + name.length;
      while (at < end && isBlank(field.charCodeAt(at))) at++;
      if (at < end && field.charCodeAt(at) === equals) return trimmed(field, at + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}

function trimmed(field: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(field.charCodeAt(start))) start++;
  while (end > start && isBlank(field.charCodeAt(end - 1))) end--;
  const isQuoted = end - start >= 2 && field.charCodeAt(start) === quote && field.charCodeAt(end - 1) === quote;
  return isQuoted ? field.slice(start + 1, end - 1) : field.slice(start, end);
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09;
}
