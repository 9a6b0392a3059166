import { SpecError } from '../core/errors.ts';
import { at, boolean } from '../core/spec.ts';

/**
 * Header fields that tell a member about the client: Octavia's and HAProxy's names, RFC 7239 and RFC 9110, section 7.6.3. `X-SSL-` tells of its
 * certificate, where the virtual IP has `tls`.
 */
export const insertedHeaders = [
  'X-Forwarded-For',
  'X-Forwarded-Port',
  'X-Forwarded-Proto',
  'Forwarded',
  'X-Request-Id',
  'Via',
  'X-SSL-Client-Verify',
  'X-SSL-Client-Has-Cert',
  'X-SSL-Client-DN',
  'X-SSL-Client-CN',
  'X-SSL-Issuer',
  'X-SSL-Client-SHA1',
  'X-SSL-Client-Not-Before',
  'X-SSL-Client-Not-After',
] as const;

export type InsertedHeader = (typeof insertedHeaders)[number];

/** Which of them are inserted. Octavia's `"true"` is taken as well. */
export type InsertHeadersSpec = { readonly [Name in InsertedHeader]?: boolean | 'true' | 'false' | null };

export const noHeaders: ReadonlySet<InsertedHeader> = new Set();

export function readInsertHeaders(value: unknown, path: string): ReadonlySet<InsertedHeader> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SpecError(path, value, "an object such as { 'X-Forwarded-For': true }");
  }
  const named = new Set<InsertedHeader>();
  const inserted = new Set<InsertedHeader>();
  for (const [given, isWanted] of Object.entries(value)) {
    const name = insertedHeaders.find((each) => each.toLowerCase() === given.toLowerCase());
    if (name === undefined) throw new SpecError(at(path, given), isWanted, `one of ${insertedHeaders.join(', ')}`);
    if (named.has(name)) throw new SpecError(at(path, given), isWanted, `${name} once, in whatever case`);
    named.add(name);
    if (isWanted === undefined || isWanted === null || isWanted === 'false') continue;
    if (isWanted === 'true' || boolean(isWanted, at(path, given))) inserted.add(name);
  }
  return inserted;
}
