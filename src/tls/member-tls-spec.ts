import { isIp } from '../core/address.ts';
import { SpecError } from '../core/errors.ts';
import { at, boolean, type Fields } from '../core/spec.ts';
import { readAlpn } from './alpn.ts';
import { readPassphrase } from './certificate-spec.ts';
import { MemberTls, type MemberTlsMaterial, type MemberTlsSettings } from './member-tls.ts';
import { certificates, hostName, privateKey, revocations } from './pem-fields.ts';
import { secretFields } from './secret-fields.ts';
import type { TlsVersion } from './tls-config.ts';
import { readCiphers, readVersions } from './tls-spec.ts';

/** How connections to members speak TLS. What an update does not name stays; `null` asks for the default. */
export interface MemberTlsSpec {
  /**
   * Whether a member's certificate must be good: in force, of an authority that is trusted, and for the name that is asked for, or
   * else the member's address. Default true; one that is not is a connect that failed.
   */
  readonly verify?: boolean | null;
  /** The authorities to trust, in PEM, instead of those that the runtime trusts. */
  readonly ca?: string | Uint8Array | null;
  /** What they have revoked: a list in PEM of each authority between a member's certificate and its root. Needs `ca`. */
  readonly crl?: string | Uint8Array | null;
  /**
   * The name to ask for in the handshake (SNI), and that the certificate must be for: a host name, or an IP address, which is only
   * verified. Default: the member's address.
   */
  readonly serverName?: string | null;
  /**
   * Whether the name that the client asked for comes first, where it asked for one and is known to have: its TLS ended at the virtual
   * IP, or a balancer in front told. Default false.
   */
  readonly passServerName?: boolean | null;
  /** The certificate to show to members that ask for one, in PEM, with those that lead to its authority. Needs `key`. */
  readonly cert?: string | Uint8Array | null;
  readonly key?: string | Uint8Array | null;
  /** What the key is encrypted with. */
  readonly passphrase?: string | null;
  /** Default `'TLSv1.2'`. */
  readonly minVersion?: TlsVersion | null;
  /** Default `'TLSv1.3'`. */
  readonly maxVersion?: TlsVersion | null;
  /** In OpenSSL's words. Default: those of the runtime. */
  readonly ciphers?: string | null;
  /** Protocols to offer with ALPN, best first. Members of an HTTP virtual IP must choose HTTP/1.1. Default: none. */
  readonly alpn?: readonly string[] | null;
  /** Whether a connection goes on with the session of an earlier one to its member, which spares both a full handshake. Default true. */
  readonly resume?: boolean | null;
}

const names = [
  'verify',
  'ca',
  'crl',
  'serverName',
  'passServerName',
  'cert',
  'key',
  'passphrase',
  'minVersion',
  'maxVersion',
  'ciphers',
  'alpn',
  'resume',
] as const;

type MemberTlsFields = Fields<(typeof names)[number]>;

const defaults: MemberTlsSettings = {
  verify: true,
  serverName: undefined,
  passServerName: false,
  alpn: [],
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: undefined,
  resume: true,
};

const noMaterial: MemberTlsMaterial = {
  ca: undefined,
  crl: undefined,
  cert: undefined,
  key: undefined,
  passphrase: undefined,
};

/** What an update leaves of `current`, that itself where it says the same: `true` asks for all defaults, `false` for no TLS. */
export function memberTlsOver(current: MemberTls | undefined): (value: unknown, path: string) => MemberTls | undefined {
  return (value, path) => {
    if (value === false) return undefined;
    if (value === true) return keepingSameMemberTls(current, new MemberTls(defaults, noMaterial));
    const fields = secretFields(value, path, names, 'true, false or an object');
    const settings = readSettings(fields, current ?? defaults);
    const material = readMaterial(fields, current?.secrets() ?? noMaterial);
    if (!settings.verify && (material.ca !== undefined || material.crl !== undefined)) {
      throw new SpecError(at(path, 'verify'), false, 'true, or no ca and crl, which only say whom to trust');
    }
    return keepingSameMemberTls(current, new MemberTls(settings, material));
  };
}

/** The present one where the wanted one says the same. */
export function keepingSameMemberTls<Wanted extends MemberTls | undefined>(
  current: MemberTls | undefined,
  wanted: Wanted,
): Wanted | MemberTls {
  return wanted !== undefined && current?.isSameAs(wanted) === true ? current : wanted;
}

function readSettings(fields: MemberTlsFields, now: MemberTlsSettings): MemberTlsSettings {
  return {
    verify: fields.change('verify', boolean, defaults.verify, now.verify),
    serverName: fields.change<string | undefined>('serverName', nameOrAddress, undefined, now.serverName),
    passServerName: fields.change('passServerName', boolean, defaults.passServerName, now.passServerName),
    alpn: fields.change('alpn', readAlpn, defaults.alpn, now.alpn),
    ...readVersions(fields, now),
    ciphers: fields.change<string | undefined>('ciphers', readCiphers, undefined, now.ciphers),
    resume: fields.change('resume', boolean, defaults.resume, now.resume),
  };
}

function readMaterial(fields: MemberTlsFields, now: MemberTlsMaterial): MemberTlsMaterial {
  const ca = fields.change<string | undefined>('ca', certificates, undefined, now.ca);
  const crl = fields.change<string | undefined>('crl', revocations, undefined, now.crl);
  if (crl !== undefined && ca === undefined) {
    throw new SpecError(at(fields.path, 'ca'), undefined, 'the authority whose crl it is');
  }
  const cert = fields.change<string | undefined>('cert', certificates, undefined, now.cert);
  const key = fields.change<string | undefined>('key', privateKey, undefined, now.key);
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? 'cert' : 'key';
    throw new SpecError(at(fields.path, missing), undefined, 'both a cert and its key, or neither');
  }
  const passphrase = fields.change<string | undefined>('passphrase', readPassphrase, undefined, now.passphrase);
  return { ca, crl, cert, key, passphrase };
}

function nameOrAddress(value: unknown, path: string): string {
  return typeof value === 'string' && isIp(value) ? value : hostName(value, path);
}
