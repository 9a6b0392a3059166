import { SpecError } from '../core/errors.ts';
import { at, duration, type Fields, oneOf } from '../core/spec.ts';
import { readAlpn } from './alpn.ts';
import { type CertificateSpec, readCertificates } from './certificate-spec.ts';
import { hidden, oneSource, pem, secretFields } from './secret-fields.ts';
import {
  type ClientAuthentication,
  clientAuthentications,
  type Source,
  TlsConfig,
  type TlsMaterial,
  type TlsSettings,
  type TlsVersion,
  tlsVersions,
} from './tls-config.ts';

/** How a virtual IP ends its clients' TLS. What an update does not name stays; `null` asks for the default. */
export interface TlsSpec {
  /**
   * What the virtual IP proves itself with, one at least. A client gets the one for the name that it asks for (SNI), or else the first.
   * Several may have the same names where their keys are of different types (RSA and ECDSA): each client gets what it can verify.
   * In an update the whole list.
   */
  readonly certificates?: CertificateSpec | readonly CertificateSpec[];
  /**
   * Protocols to offer with ALPN, best first. An HTTP virtual IP has `['http/1.1']` by default, and can have `http/1.0` besides; a TCP
   * virtual IP by default leaves ALPN alone. A client that offers protocols of which there is none in the list is refused
   * (RFC 7301, section 3.2).
   */
  readonly alpn?: readonly string[] | null;
  /** Default `'TLSv1.2'`. OpenSSL 3 also wants `@SECLEVEL=0` in `ciphers` for anything older. */
  readonly minVersion?: TlsVersion | null;
  /** Default `'TLSv1.3'`. */
  readonly maxVersion?: TlsVersion | null;
  /** In OpenSSL's words, best first; those that begin with `TLS_` are of TLS 1.3. Default: those of the runtime. */
  readonly ciphers?: string | null;
  /**
   * Whether clients are asked for a certificate: `'none'` (the default); `'optional'`, where one that is shown must be good; or
   * `'mandatory'`.
   */
  readonly clientAuthentication?: ClientAuthentication | null;
  /** The authorities, in PEM, whose certificates clients may show; needed with `clientAuthentication`. */
  readonly ca?: string | Uint8Array | null;
  /** Instead of `ca`: a file that has it, followed as those of certificates are. */
  readonly caFile?: string | null;
  /** What these authorities have revoked: a list in PEM of each of them. One that is out of date lets no certificate pass. */
  readonly crl?: string | Uint8Array | null;
  readonly crlFile?: string | null;
  /** How long a client may go on with a session of an earlier connection, milliseconds from 1000 to 604800000. Default 300000. */
  readonly sessionTimeout?: number | null;
  /**
   * 48 secret bytes that sessions are sealed with, for several processes that shall resume each other's. Default: random ones of the
   * listener's own, which stay through updates.
   */
  readonly ticketKeys?: Uint8Array | null;
}

const names = [
  'certificates',
  'alpn',
  'minVersion',
  'maxVersion',
  'ciphers',
  'clientAuthentication',
  'ca',
  'caFile',
  'crl',
  'crlFile',
  'sessionTimeout',
  'ticketKeys',
] as const;

type TlsFields = Fields<(typeof names)[number]>;

const defaults = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: undefined,
  clientAuthentication: 'none',
  sessionTimeout: 300_000,
} as const satisfies Partial<TlsSettings>;

const noMaterial: TlsMaterial = { certificates: [], ca: undefined, crl: undefined, ticketKeys: undefined };

/** What an update leaves of `current`, or a virtual IP begins with: that itself where it says the same. */
export function tlsOver(
  current: TlsConfig | undefined,
  protocol: 'tcp' | 'http',
): (value: unknown, path: string) => TlsConfig {
  return (value, path) => {
    const fields = secretFields(value, path, names);
    const settings = readSettings(fields, protocol, current);
    const material = readMaterial(fields, current?.secrets() ?? noMaterial);
    if (settings.clientAuthentication !== 'none' && material.ca === undefined) {
      throw new SpecError(at(path, 'ca'), undefined, 'whose certificates clients may show (or a caFile)');
    }
    if (material.crl !== undefined && material.ca === undefined) {
      throw new SpecError(at(path, 'ca'), undefined, 'the authority whose crl it is (or a caFile)');
    }
    return keepingSameTls(current, new TlsConfig(settings, material));
  };
}

/** The present one where the wanted one says the same. */
export function keepingSameTls<Wanted extends TlsConfig | undefined>(
  current: TlsConfig | undefined,
  wanted: Wanted,
): Wanted | TlsConfig {
  return wanted !== undefined && current?.isSameAs(wanted) === true ? current : wanted;
}

function readSettings(fields: TlsFields, protocol: 'tcp' | 'http', current: TlsConfig | undefined): TlsSettings {
  const alpnByDefault = protocol === 'http' ? ['http/1.1'] : [];
  const now: TlsSettings = current ?? { ...defaults, alpn: alpnByDefault };
  const authentication = oneOf<ClientAuthentication>(clientAuthentications);
  return {
    alpn: fields.change('alpn', protocol === 'http' ? readHttpAlpn : readAlpn, alpnByDefault, now.alpn),
    ...readVersions(fields, now),
    ciphers: fields.change<string | undefined>('ciphers', readCiphers, undefined, now.ciphers),
    clientAuthentication: fields.change('clientAuthentication', authentication, 'none', now.clientAuthentication),
    sessionTimeout: fields.change('sessionTimeout', sessionTimeout, defaults.sessionTimeout, now.sessionTimeout),
  };
}

/** What an update leaves of the bounds. */
export function readVersions(
  fields: Fields<'minVersion' | 'maxVersion'>,
  now: Pick<TlsSettings, 'minVersion' | 'maxVersion'>,
): Pick<TlsSettings, 'minVersion' | 'maxVersion'> {
  const version = oneOf<TlsVersion>(tlsVersions);
  const minVersion = fields.change('minVersion', version, defaults.minVersion, now.minVersion);
  const maxVersion = fields.change('maxVersion', version, defaults.maxVersion, now.maxVersion);
  if (tlsVersions.indexOf(minVersion) > tlsVersions.indexOf(maxVersion)) {
    throw new SpecError(at(fields.path, 'minVersion'), minVersion, `at most the maxVersion '${maxVersion}'`);
  }
  return { minVersion, maxVersion };
}

function readMaterial(fields: TlsFields, now: TlsMaterial): TlsMaterial {
  const isFirst = now.certificates.length === 0;
  // `null` asks for the default, and there is none.
  const certificates =
    isFirst || fields.names('certificates') ? fields.require('certificates', readCertificates) : now.certificates;
  return {
    certificates,
    ca: changedSource(fields, 'ca', 'caFile', 'CERTIFICATE', now.ca),
    crl: changedSource(fields, 'crl', 'crlFile', 'X509 CRL', now.crl),
    ticketKeys: fields.change<string | undefined>('ticketKeys', readTicketKeys, undefined, now.ticketKeys),
  };
}

function changedSource(
  fields: TlsFields,
  name: 'ca' | 'crl',
  fileName: 'caFile' | 'crlFile',
  kind: string,
  now: Source | undefined,
): Source | undefined {
  if (!fields.names(name) && !fields.names(fileName)) return now;
  return oneSource(fields, name, fileName, pem(kind));
}

/** What an HTTP virtual IP speaks. */
function readHttpAlpn(value: unknown, path: string): readonly string[] {
  const protocols = readAlpn(value, path);
  for (const [index, protocol] of protocols.entries()) {
    if (protocol !== 'http/1.1' && protocol !== 'http/1.0') {
      throw new SpecError(
        at(path, index),
        protocol,
        "'http/1.1' or 'http/1.0', which is what an HTTP virtual IP speaks",
      );
    }
  }
  return protocols;
}

/** Octavia's limits. */
export function readCiphers(value: unknown, path: string): string {
  if (typeof value === 'string' && /^[A-Za-z0-9\-+!:@=_.]{1,2048}$/.test(value)) return value;
  throw new SpecError(path, value, "ciphers in OpenSSL's words, such as 'ECDHE+AESGCM:TLS_AES_128_GCM_SHA256'");
}

const sessionTimeout = (value: unknown, path: string): number => {
  const milliseconds = duration(1000)(value, path);
  // RFC 8446, section 4.6.1
  if (milliseconds <= 604_800_000) return milliseconds;
  throw new SpecError(path, value, 'milliseconds from 1000 to 604800000 (seven days)');
};

function readTicketKeys(value: unknown, path: string): string {
  if (value instanceof Uint8Array && value.length === 48) return String.fromCharCode(...value);
  throw new SpecError(path, hidden(value), '48 bytes');
}
