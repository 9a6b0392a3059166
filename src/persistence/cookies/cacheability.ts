/** What of an answer says whether it may be kept for others. */
export interface CacheableAnswer {
  /** Of the request. */
  readonly method: string;
  readonly status: number;
  /** The value of a field, by its name in lower case; of several the list. Undefined where there is none. */
  header(name: string): string | undefined;
}

/**
 * Statuses that may be kept without being told how long (RFC 9110, section 15.1), and 304, whose fields go into what was kept.
 */
const heuristic: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 304, 308, 404, 405, 410, 414, 501]);

/**
 * Whether a shared cache may keep the answer for other clients: then a cookie that is put into it needs `Cache-Control: private`
 * beside it, or all clients of that cache would get the cookie of one.
 *
 * HAProxy's rules (`http_check_response_for_cacheability`): there must be something to keep it by, a lifetime or a validator, and
 * nothing that forbids it. Where RFC 9111, section 3, goes further, `public` and any status with a lifetime, so does this.
 */
export function mayBeShared({ method, status, header }: CacheableAnswer): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (status < 200) return false;
  const control = header('cache-control');
  if (control === undefined && /^\s*no-cache\s*$/i.test(header('pragma') ?? '')) return false;
  let isExplicit = header('expires') !== undefined;
  let lifetime: number | undefined;
  let sharedLifetime: number | undefined;
  for (const [name, seconds] of directivesOf(control ?? '')) {
    if (name === 'private' || name === 'no-cache' || name === 'no-store') return false;
    if (name === 's-maxage') sharedLifetime = seconds;
    if (name === 'max-age') lifetime = seconds;
    if (name === 'public' || name === 'max-age' || name === 's-maxage') isExplicit = true;
  }
  // Shared caches go by the first before the second.
  if ((sharedLifetime ?? lifetime) === 0) return false;
  if (isExplicit) return true;
  return heuristic.has(status) && (header('etag') !== undefined || header('last-modified') !== undefined);
}

/**
 * Names and, where it is a number, arguments. Those that are about single fields (`private="set-cookie"`) are not told: the
 * rest of the answer may be shared.
 */
function directivesOf(control: string): [name: string, argument: number | undefined][] {
  const directives: [string, number | undefined][] = [];
  for (const [, name = '', argument] of control.matchAll(/([^\s,=;"]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,;]*))?/g)) {
    if (argument === undefined) directives.push([name.toLowerCase(), undefined]);
    else if (/^"?\d+"?$/.test(argument)) directives.push([name.toLowerCase(), Number(argument.replaceAll('"', ''))]);
  }
  return directives;
}
