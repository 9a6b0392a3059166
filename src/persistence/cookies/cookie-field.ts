const equals = 0x3d;
const quote = 0x22;
const semicolon = 0x3b;

/**
 * What `accept` makes of the first cookie of a name, in a `Cookie` field, whose value it makes something of: a client may send
 * several of one name, set for different paths or domains (RFC 6265, section 5.4). White space around names and values does not
 * count, nor do quotes around a value.
 */
export function firstCookie<Found>(
  field: string,
  name: string,
  accept: (value: string) => Found | undefined,
): Found | undefined {
  const { length } = field;
  for (let start = 0; start < length; ) {
    const end = endOfPair(field, start);
    const at = valueAt(field, start, end, name);
    const found = at < 0 ? undefined : accept(bare(field, at, end));
    if (found !== undefined) return found;
    start = end + 1;
  }
  return undefined;
}

/** A `Cookie` field without the cookies of a name; what is left is as it was. Empty where nothing is left. */
export function withoutCookie(field: string, name: string): string {
  if (!field.includes(name)) return field;
  let rest = '';
  /** Where the cookies begin that stay and were not taken over yet. */
  let from = 0;
  const { length } = field;
  for (let start = 0; start < length; ) {
    const end = endOfPair(field, start);
    if (valueAt(field, start, end, name) >= 0) {
      rest += field.slice(from, start);
      from = end + 1;
    }
    start = end + 1;
  }
  if (from === 0) return field;
  return withoutEmptyEnds(rest + field.slice(from));
}

/** The value that a `Set-Cookie` field gives to a cookie; undefined where it sets another one. */
export function setCookieValue(field: string, name: string): string | undefined {
  const end = endOfPair(field, 0);
  const at = valueAt(field, 0, end, name);
  return at < 0 ? undefined : bare(field, at, end);
}

/**
 * Whether a `Set-Cookie` field tells the client to forget the cookie. (`Expires` is not looked at: nobody here knows the date.)
 */
export function isRemoval(field: string): boolean {
  return /;[ \t]*max-age[ \t]*=[ \t]*(?:-|0*(?:[ \t;]|$))/i.test(field);
}

/** Whether a cookie of this path goes with a request: RFC 6265, section 5.1.4. */
export function pathMatches(requestPath: string, cookiePath: string): boolean {
  if (!requestPath.startsWith(cookiePath)) return false;
  return cookiePath.endsWith('/') || requestPath.length === cookiePath.length || requestPath[cookiePath.length] === '/';
}

function endOfPair(field: string, start: number): number {
  const end = field.indexOf(';', start);
  return end < 0 ? field.length : end;
}

/** Where the value starts if the pair is of that name; -1 where it is not. */
function valueAt(field: string, start: number, end: number, name: string): number {
  let at = start;
  while (at < end && isBlank(field.charCodeAt(at))) at++;
  if (!field.startsWith(name, at)) return -1;
  at += name.length;
  while (at < end && isBlank(field.charCodeAt(at))) at++;
  return at < end && field.charCodeAt(at) === equals ? at + 1 : -1;
}

/** A value without the white space and the quotes around it. */
function bare(field: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(field.charCodeAt(start))) start++;
  while (end > start && isBlank(field.charCodeAt(end - 1))) end--;
  const isQuoted = end - start >= 2 && field.charCodeAt(start) === quote && field.charCodeAt(end - 1) === quote;
  return isQuoted ? field.slice(start + 1, end - 1) : field.slice(start, end);
}

/** What came before the cookie may end now, and what came after it begin, as a list does in its middle. */
function withoutEmptyEnds(field: string): string {
  let start = 0;
  let end = field.length;
  while (start < end && isEmptyAt(field, start)) start++;
  while (end > start && isEmptyAt(field, end - 1)) end--;
  return field.slice(start, end);
}

function isEmptyAt(field: string, at: number): boolean {
  const code = field.charCodeAt(at);
  return code === semicolon || isBlank(code);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
