import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { SpecError } from '../../core/errors.ts';
import { at } from '../../core/spec.ts';
import { ServerNames } from '../../tls/server-names.ts';
import type { TlsConfig } from '../../tls/tls-config.ts';
import { type LoadedCertificate, loadCertificate, readCertificates } from './loaded-certificate.ts';
import { Material, secretAt, unusable, whereOf } from './material.ts';
import { attempt, readRevoked } from './openssl-trials.ts';

/** What a listener tells of a certificate that it serves. */
export interface CertificateFacts {
  /** The names that clients get it for; see `isDefault`. */
  readonly serverNames: readonly string[];
  /** Whether those get it, too, who ask for no name that there is one for. */
  readonly isDefault: boolean;
  /** One attribute a line. */
  readonly subject: string;
  readonly issuer: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** The SHA-256 fingerprint: hexadecimal digits with colons. */
  readonly fingerprint: string;
}

/** What a virtual IP shows to its clients, and checks theirs against, ready for handshakes. */
export interface Credentials {
  /** The files that it was made of. */
  readonly files: ReadonlySet<string>;
  /** Of what these had in them. */
  readonly digest: string;
  readonly certificates: readonly CertificateFacts[];
  /** For clients that ask for no name, or none that is known. */
  readonly fallback: SecureContext;
  /** Undefined where every client gets `fallback`. */
  readonly byName: ServerNames<SecureContext> | undefined;
  /** As TLS has it; undefined where ALPN is left alone. */
  readonly alpn: Uint8Array | undefined;
  readonly asksForCertificate: boolean;
  readonly wantsCertificate: boolean;
}

/** Where the settings are, seen from the virtual IP's. */
const path = 'tls';

/**
 * Reads files, and checks everything that takes cryptography.
 *
 * @param ticketKeys for where the settings have none
 * @throws SpecError that never shows a secret
 */
export function makeCredentials(config: TlsConfig, ticketKeys: Buffer): Credentials {
  const secrets = config.secrets();
  const material = new Material();
  const isAlone = secrets.certificates.length === 1;
  const loaded = secrets.certificates.map((source, index) => {
    return loadCertificate(source, isAlone ? at(path, 'certificates') : at(at(path, 'certificates'), index), material);
  });
  const common = commonOptions(config, material, ticketKeys);
  const contexts = new Contexts(common);
  const groups = groupsOf(loaded);
  const [first] = loaded as [LoadedCertificate];
  // With others for the same names, so that every client can verify one.
  const defaults = [...groups.values()].find((group) => group.includes(first)) ?? [first];
  const fallback = contexts.of(defaults);
  const routes = Array.from(groups, ([name, group]) => ({ serverNames: [name], target: contexts.of(group) }));
  return {
    files: material.files,
    digest: material.digest,
    certificates: loaded.map((each) => factsOf(each, groups, defaults.includes(each))),
    fallback,
    byName: contexts.size === 1 ? undefined : new ServerNames(routes, path),
    alpn: config.alpn.length === 0 ? undefined : alpnBytes(config.alpn),
    asksForCertificate: config.clientAuthentication !== 'none',
    wantsCertificate: config.clientAuthentication === 'mandatory',
  };
}

/** By name, the certificates to serve for it: of each type of key the first one. */
function groupsOf(loaded: readonly LoadedCertificate[]): ReadonlyMap<string, readonly LoadedCertificate[]> {
  const groups = new Map<string, LoadedCertificate[]>();
  for (const [index, certificate] of loaded.entries()) {
    const { serverNames, keyType, areNamesGiven } = certificate;
    if (index > 0 && serverNames.length === 0) {
      throw new SpecError(at(certificate.path, 'serverNames'), undefined, 'names, since the certificate has none');
    }
    for (const name of serverNames) {
      const group = groups.get(name) ?? [];
      groups.set(name, group);
      const other = group.find((each) => each.keyType === keyType);
      if (other === undefined) group.push(certificate);
      else if (areNamesGiven && other.areNamesGiven) {
        const expected = `another name than ${at(other.path, 'serverNames')}, or a key of another type`;
        throw new SpecError(at(certificate.path, 'serverNames'), name, expected);
      } else if (areNamesGiven) {
        group.splice(group.indexOf(other), 1, certificate);
      }
    }
  }
  return groups;
}

/** What is made for one group of certificates serves all names that have the same. */
class Contexts {
  readonly #common: SecureContextOptions;
  readonly #made: { readonly group: readonly LoadedCertificate[]; readonly context: SecureContext }[] = [];

  constructor(common: SecureContextOptions) {
    this.#common = common;
  }

  get size(): number {
    return this.#made.length;
  }

  of(group: readonly LoadedCertificate[]): SecureContext {
    const known = this.#made.find(
      (each) => each.group.length === group.length && group.every((one) => each.group.includes(one)),
    );
    if (known !== undefined) return known.context;
    const context = this.#make(group);
    this.#made.push({ group, context });
    return context;
  }

  #make(group: readonly LoadedCertificate[]): SecureContext {
    const cert = group.flatMap(({ options }) => options.cert ?? []) as Buffer[];
    const key = group.flatMap(({ options }) => options.key ?? []) as { pem: Buffer }[];
    const pfx = group.flatMap(({ options }) => options.pfx ?? []) as { buf: Buffer }[];
    try {
      return createSecureContext({
        ...this.#common,
        ...(cert.length > 0 && { cert, key }),
        ...(pfx.length > 0 && { pfx }),
      });
    } catch (cause) {
      return unusable(secretAt(group[0]?.path ?? path), 'a certificate and a key that OpenSSL takes', cause);
    }
  }
}

function commonOptions(config: TlsConfig, material: Material, ownKeys: Buffer): SecureContextOptions {
  const { ca, crl, ticketKeys } = config.secrets();
  const { minVersion, maxVersion, ciphers, clientAuthentication, sessionTimeout } = config;
  const authorities = ca === undefined ? undefined : material.read(ca, at(path, 'ca'));
  const revoked = crl === undefined ? undefined : material.read(crl, at(path, 'crl'));
  if (ca !== undefined && authorities !== undefined) readCertificates(authorities, whereOf(ca, at(path, 'ca')));
  if (ciphers !== undefined) {
    attempt({ ciphers }, { path: at(path, 'ciphers'), shown: ciphers }, "ciphers in OpenSSL's words");
  }
  const lists = crl === undefined || revoked === undefined ? [] : readRevoked(revoked, whereOf(crl, at(path, 'crl')));
  // Without any, Node would read all that the system trusts.
  const trusted = authorities === undefined ? [] : [authorities];
  return {
    ca: trusted,
    ...(lists.length > 0 && { crl: lists }),
    ...(ciphers !== undefined && { ciphers }),
    minVersion,
    maxVersion,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: Math.floor(sessionTimeout / 1000),
    ticketKeys: ticketKeys === undefined ? ownKeys : Buffer.from(ticketKeys, 'latin1'),
    sessionIdContext: sessionsOf(clientAuthentication, authorities, revoked),
  };
}

/**
 * Who was let in on other terms has to show a certificate again: the client of a session that is resumed is not checked. OpenSSL
 * resumes no session of another context.
 */
function sessionsOf(...terms: readonly (string | Buffer | undefined)[]): string {
  const hash = createHash('sha256');
  for (const each of terms) hash.update(`${each?.length} `).update(each ?? '');
  return hash.digest('base64').slice(0, 32);
}

function alpnBytes(protocols: readonly string[]): Uint8Array {
  return Buffer.concat(protocols.map((each) => Buffer.from(`${String.fromCharCode(each.length)}${each}`, 'latin1')));
}

function factsOf(
  certificate: LoadedCertificate,
  groups: ReadonlyMap<string, readonly LoadedCertificate[]>,
  isDefault: boolean,
): CertificateFacts {
  const { x509, serverNames } = certificate;
  return {
    serverNames: serverNames.filter((name) => groups.get(name)?.includes(certificate)),
    isDefault,
    subject: x509.subject ?? '',
    issuer: x509.issuer ?? '',
    validFrom: new Date(x509.validFrom),
    validTo: new Date(x509.validTo),
    fingerprint: x509.fingerprint256,
  };
}
