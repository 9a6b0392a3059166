import { SpecError } from './errors.ts';
import { at, boolean, Fields, oneOf } from './spec.ts';

export type ProxyProtocolVersion = 'v1' | 'v2';

/** The PROXY header that goes before the first byte of each connection to a member of a pool. */
export interface SendProxyProtocolSpec {
  /** `'v1'` is a line of text, `'v2'` binary. */
  readonly version: ProxyProtocolVersion;
  /** What else a header of version 2 tells. */
  readonly tlvs?: SendTlvsSpec | null;
}

/**
 * What a header of version 2 tells beside the addresses, where it is known: from the client's TLS that ended here, or else from the
 * header of a balancer in front.
 */
export interface SendTlvsSpec {
  /** The protocol that was agreed upon with ALPN. Default true. */
  readonly alpn?: boolean | null;
  /** The name that the client asked for (SNI). Default true. */
  readonly authority?: boolean | null;
  /** That it was TLS, its version and cipher, and whether the client has shown a certificate, and whose. Default true. */
  readonly tls?: boolean | null;
  /** The unique id from in front, or else one of our own for each client's connection: a UUID as text. Default false. */
  readonly uniqueId?: boolean | null;
  /** A CRC32c of the header. Default false. */
  readonly checksum?: boolean | null;
}

/** Checked. Flat: its fields are compared with `===`. */
export interface SendProxyProtocol {
  readonly version: ProxyProtocolVersion;
  readonly alpn: boolean;
  readonly authority: boolean;
  readonly tls: boolean;
  readonly uniqueId: boolean;
  readonly checksum: boolean;
}

const proxyProtocolVersion: (value: unknown, path: string) => ProxyProtocolVersion = oneOf<ProxyProtocolVersion>([
  'v1',
  'v2',
]);

/** Reads a version, or an object that says more. */
export function readSendProxyProtocol(value: unknown, path: string): SendProxyProtocol {
  if (typeof value !== 'object') {
    if (value === 'v1' || value === 'v2') return settingsOf(value, new Fields({}, path, tlvNames));
    throw new SpecError(path, value, "'v1', 'v2' or an object with a version");
  }
  const fields = new Fields(value, path, ['version', 'tlvs']);
  const version = fields.require('version', proxyProtocolVersion);
  const tlvs = fields.read('tlvs', readTlvs, undefined);
  if (version === 'v1' && tlvs !== undefined) {
    throw new SpecError(at(path, 'tlvs'), (value as SendProxyProtocolSpec).tlvs, "none, or a version of 'v2'");
  }
  return settingsOf(version, tlvs ?? new Fields({}, path, tlvNames));
}

const tlvNames = ['alpn', 'authority', 'tls', 'uniqueId', 'checksum'] as const;

type TlvFields = Fields<(typeof tlvNames)[number]>;

function readTlvs(value: unknown, path: string): TlvFields {
  return new Fields(value, path, tlvNames);
}

function settingsOf(version: ProxyProtocolVersion, tlvs: TlvFields): SendProxyProtocol {
  const isBinary = version === 'v2';
  return Object.freeze({
    version,
    alpn: tlvs.read('alpn', boolean, isBinary),
    authority: tlvs.read('authority', boolean, isBinary),
    tls: tlvs.read('tls', boolean, isBinary),
    uniqueId: tlvs.read('uniqueId', boolean, false),
    checksum: tlvs.read('checksum', boolean, false),
  });
}
