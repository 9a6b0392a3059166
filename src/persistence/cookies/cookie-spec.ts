import { isHostName } from '../../core/address.ts';
import { SpecError } from '../../core/errors.ts';

/** The name of a cookie: a token (RFC 6265, section 4.1.1), 1 to 255 characters. */
export function cookieName(value: unknown, path: string): string {
  if (typeof value === 'string' && /^[!#$%&'*+\-.^_`|~0-9a-z]{1,255}$/i.test(value)) return value;
  throw new SpecError(path, value, "the name of a cookie: 1 to 255 letters, digits and !#$%&'*+-.^_`|~");
}

/** The path of a cookie: printable ASCII without semicolons. */
export function cookiePath(value: unknown, path: string): string {
  if (typeof value === 'string' && /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/.test(value)) return value;
  throw new SpecError(path, value, "a path that starts with '/', of 1 to 1024 printable characters without ';'");
}

/** The domain of a cookie; a dot before it means nothing to browsers of today. */
export function cookieDomain(value: unknown, path: string): string {
  if (typeof value === 'string' && value !== '' && isHostName(value.replace(/^\./, ''))) return value;
  throw new SpecError(path, value, "a host name such as 'example.com'");
}

/** A secret: what is wrong with one is told without telling it. */
export function secret(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length >= 16 && value.length <= 1024) return value;
  const shown = typeof value === 'string' ? `(a string of ${value.length} characters, not shown)` : typeof value;
  throw new SpecError(path, shown, 'a string of 16 to 1024 characters');
}
