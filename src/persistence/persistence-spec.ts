import { SpecError } from '../core/errors.ts';
import { at, boolean, duration, name } from '../core/spec.ts';
import { hidden, secretFields } from '../tls/secret-fields.ts';
import {
  type AppCookiePersistenceSpec,
  appCookiePersistenceNames,
  readAppCookiePersistence,
} from './app-cookie-persistence.ts';
import { BuiltInPersistence } from './built-in-persistence.ts';
import {
  type HttpCookiePersistenceSpec,
  httpCookiePersistenceNames,
  readHttpCookiePersistence,
} from './http-cookie-persistence.ts';
import type { Persistence } from './persistence.ts';
import {
  readSourceIpPersistence,
  type SourceIpPersistenceSpec,
  sourceIpPersistenceNames,
} from './source-ip-persistence.ts';

/**
 * A persistence as a user describes it: a built-in kind with its settings, or one of one's own.
 */
export type PersistenceSpec<T = unknown> =
  | (SourceIpPersistenceSpec & { readonly type: 'source-ip' })
  | (HttpCookiePersistenceSpec & { readonly type: 'http-cookie' })
  | (AppCookiePersistenceSpec & { readonly type: 'app-cookie' })
  | Persistence<T>;

export function readPersistence<T>(value: unknown, path: string): Persistence<T> {
  if (typeof value === 'object' && value !== null) {
    const spec = value as Partial<Persistence<T>> & { readonly type?: unknown };
    switch (spec.type) {
      case 'source-ip':
        return readSourceIpPersistence(secretFields(value, path, ['type', ...sourceIpPersistenceNames]));
      case 'http-cookie':
        return readHttpCookiePersistence(secretFields(value, path, ['type', ...httpCookiePersistenceNames]));
      case 'app-cookie':
        return readAppCookiePersistence(secretFields(value, path, ['type', ...appCookiePersistenceNames]));
    }
    if (typeof spec.start === 'function' && typeof spec.name === 'string') {
      name(spec.name, at(path, 'name'));
      if (spec.timeout !== undefined) duration(1)(spec.timeout, at(path, 'timeout'));
      if (spec.needsHttp !== undefined) boolean(spec.needsHttp, at(path, 'needsHttp'));
      return spec as Persistence<T>;
    }
    if (spec.type !== undefined) {
      throw new SpecError(at(path, 'type'), spec.type, "'source-ip', 'http-cookie' or 'app-cookie'");
    }
  }
  throw new SpecError(
    path,
    // One that has forgotten its type may have a secret.
    typeof value === 'object' && value !== null && 'secret' in value ? hidden(value) : value,
    "an object with type 'source-ip', 'http-cookie' or 'app-cookie', or a persistence (with a name and a start function)",
  );
}

/** Throws `SpecError` where a virtual IP of this protocol would lead to a pool whose persistence could know nobody there. */
export function refuseOverTcp<T>(
  persistence: Persistence<T> | undefined,
  protocol: 'tcp' | 'http',
  path: string,
): void {
  if (protocol !== 'tcp' || persistence?.needsHttp !== true) return;
  const expected =
    "one that works over TCP, such as 'source-ip': a TCP virtual IP, which leads to this pool, sees no cookies";
  throw new SpecError(path, persistence.name, expected);
}

/** Whether a table that one has started may go on where a spec is read anew and gives the other. */
export function isSamePersistence<T>(a: Persistence<T> | undefined, b: Persistence<T> | undefined): boolean {
  return a instanceof BuiltInPersistence && b instanceof BuiltInPersistence ? a.isSameAs(b) : a === b;
}
