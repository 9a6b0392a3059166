import { formatEndpoint } from '../core/address.ts';
import { SpecError } from '../core/errors.ts';
import { Fields, integer } from '../core/spec.ts';
import { cookieValue } from './hash/cookie-value.ts';
import type { PickRequest } from './strategy.ts';

/**
 * What of a client decides where a hash strategy sends it: its address; address and port; the path of its request (up to the
 * query); the value of a header field or of a cookie; or what a function makes of the request.
 *
 * A client that has no such thing, or an empty one, is placed by chance, as Envoy does. What a function throws comes out of
 * `pool.acquire()`.
 */
export type HashKey =
  | 'source-ip'
  | 'source-ip-port'
  | 'path'
  | { readonly header: string }
  | { readonly cookie: string }
  | ((request: PickRequest) => string | undefined);

/** What every hash strategy can be told. `null` asks for the default. */
export interface HashOptions {
  /** Default: the request's `key`; where it has none, the client's address. */
  readonly key?: HashKey | null;
  /**
   * The most that a member may hold, in percent of its fair share of all leases, 100 to 100000; beyond it, clients go on to
   * the next member. 125 to 200 is usual; the lower, the more clients are moved. Default: no bound.
   */
  readonly maxLoadFactor?: number | null;
}

/** A checked `HashKey`. */
export type KeyOf = (request: PickRequest) => string | undefined;

export const keyOrAddress: KeyOf = (request) => request.key ?? request.clientAddress;

export const maxLoadFactor: (value: unknown, path: string) => number = integer(100, 100_000);

const named = new Map<unknown, KeyOf>([
  ['source-ip', (request) => request.clientAddress],
  ['source-ip-port', addressAndPort],
  ['path', (request) => request.path],
]);

export function readHashKey(value: unknown, path: string): KeyOf {
  if (typeof value === 'function') return fromFunction(value as (request: PickRequest) => unknown);
  const keyOf = named.get(value);
  if (keyOf !== undefined) return keyOf;
  if (typeof value !== 'object' || value === null) throw notAKey(path, value);
  const fields = new Fields(value, path, ['header', 'cookie']);
  const header = fields.read('header', token, undefined)?.toLowerCase();
  const cookie = fields.read('cookie', token, undefined);
  if ((header === undefined) === (cookie === undefined)) throw notAKey(path, value);
  if (header !== undefined) return (request) => request.header(header);
  return (request) => {
    const field = request.header('cookie');
    return field === undefined || cookie === undefined ? undefined : cookieValue(field, cookie);
  };
}

function notAKey(path: string, value: unknown): SpecError {
  const names = Array.from(named.keys(), (name) => `'${name}'`).join(', ');
  return new SpecError(path, value, `${names}, { header: name }, { cookie: name }, or a function of the request`);
}

function addressAndPort({ clientAddress, clientPort }: PickRequest): string | undefined {
  if (clientAddress === undefined || clientPort === undefined) return clientAddress;
  return formatEndpoint(clientAddress, clientPort);
}

function fromFunction(keyOf: (request: PickRequest) => unknown): KeyOf {
  return (request) => {
    const key = keyOf(request);
    if (typeof key === 'string' || key === undefined || key === null) return key ?? undefined;
    throw new SpecError('key', key, 'a function that returns a string or undefined');
  };
}

function token(value: unknown, path: string): string {
  if (typeof value === 'string' && /^[!#$%&'*+\-.^_`|~0-9a-z]{1,255}$/i.test(value)) return value;
  throw new SpecError(path, value, 'the name of a field or cookie');
}
