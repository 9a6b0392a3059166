import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { isHostName } from '../../core/address.ts';
import { at } from '../../core/spec.ts';
import type { CertificateSource, Source } from '../../tls/tls-config.ts';
import { blocksOf, type Material, secretAt, unusable, type Where, whereOf } from './material.ts';

/** A certificate whose key is known to fit. */
export interface LoadedCertificate {
  /** Where it is in the settings. */
  readonly path: string;
  readonly x509: X509Certificate;
  /** Of its key: OpenSSL keeps one certificate of each type at hand. */
  readonly keyType: string;
  /** Host names, lower case, without a dot at the end. */
  readonly serverNames: readonly string[];
  /** Whether the settings say so, rather than the certificate. */
  readonly areNamesGiven: boolean;
  readonly options: Pick<SecureContextOptions, 'cert' | 'key' | 'pfx'>;
}

interface Loaded {
  readonly x509: X509Certificate;
  readonly options: Pick<SecureContextOptions, 'cert' | 'key' | 'pfx'>;
}

/**
 * Reads a certificate and its key, and checks that the one fits the other.
 *
 * @throws SpecError
 */
export function loadCertificate(source: CertificateSource, path: string, material: Material): LoadedCertificate {
  const { passphrase, serverNames } = source;
  const { x509, options } =
    source.pfx === undefined
      ? loadPem(source.cert, source.key, passphrase, path, material)
      : loadPfx(source.pfx, passphrase, path, material);
  const keyType = x509.publicKey.asymmetricKeyType ?? 'unknown';
  const areNamesGiven = serverNames !== undefined;
  return { path, x509, keyType, serverNames: serverNames ?? namesOf(x509), areNamesGiven, options };
}

/**
 * Reads a certificate and its key in PEM, and checks that the one fits the other.
 *
 * @throws SpecError
 */
export function loadPem(
  cert: Source,
  key: Source,
  passphrase: string | undefined,
  path: string,
  material: Material,
): Loaded {
  const certAt = whereOf(cert, at(path, 'cert'));
  const chain = material.read(cert, at(path, 'cert'));
  const certificates = readCertificates(chain, certAt);
  const keyAt = whereOf(key, at(path, 'key'));
  const pem = material.read(key, at(path, 'key'));
  const privateKey = readKey(pem, passphrase, keyAt, path);
  const x509 = certificates[0] as X509Certificate;
  if (!x509.checkPrivateKey(privateKey)) unusable(keyAt, 'the private key of the certificate', 'of another one');
  const options = { cert: [chain], key: [{ pem, ...(passphrase !== undefined && { passphrase }) }] };
  return { x509, options };
}

/** @throws SpecError where there is none, or one that is no certificate */
export function readCertificates(pem: Buffer, where: Where): readonly X509Certificate[] {
  const expected = 'certificates in PEM';
  return blocksOf(pem, 'CERTIFICATE', where, expected).map((block) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      return unusable(where, expected, cause);
    }
  });
}

function readKey(pem: Buffer, passphrase: string | undefined, where: Where, path: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(passphrase !== undefined && { passphrase }) });
  } catch (cause) {
    if (!pem.includes('ENCRYPTED')) return unusable(where, 'a private key in PEM', cause);
    const expected = passphrase === undefined ? 'what the key is encrypted with' : 'the pass phrase of the key';
    return unusable(secretAt(at(path, 'passphrase')), expected, passphrase === undefined ? 'not given' : cause);
  }
}

function loadPfx(pfx: Source, passphrase: string | undefined, path: string, material: Material): Loaded {
  const pfxAt = whereOf(pfx, at(path, 'pfx'));
  const buf = material.read(pfx, at(path, 'pfx'));
  const options = { pfx: [{ buf, ...(passphrase !== undefined && { passphrase }) }] };
  let der: Buffer | null | undefined;
  try {
    const { context } = createSecureContext({ ...options, ca: [] });
    der = (context as { getCertificate?: () => Buffer | null }).getCertificate?.();
  } catch (cause) {
    if (!/mac verify/.test(String(cause))) unusable(pfxAt, 'a PKCS#12', cause);
    unusable(secretAt(at(path, 'passphrase')), 'the pass phrase of the PKCS#12', 'it does not open it');
  }
  if (!der) return unusable(pfxAt, 'a PKCS#12 with a certificate and its key', 'it has no certificate');
  return { x509: new X509Certificate(der), options };
}

/** The names that a certificate is good for: those in its subjectAltName, or else its common name. */
function namesOf({ subjectAltName, subject }: X509Certificate): readonly string[] {
  const names =
    subjectAltName === undefined
      ? (subject ?? '').split('\n').flatMap((line) => (line.startsWith('CN=') ? [line.slice('CN='.length)] : []))
      : splitNames(subjectAltName);
  const bare = names.map((name) => name.replace(/\.$/, '').toLowerCase());
  return [...new Set(bare.filter((name) => isHostName(name.replace(/^\*\./, ''))))];
}

/** Node puts names with anything unusual in quotes; none of those is a host's. */
function splitNames(subjectAltName: string): readonly string[] {
  return Array.from(subjectAltName.matchAll(/(?:^|, )(?:DNS:([^",]+)(?=, |$)|[^",]*(?:"(?:[^"\\]|\\.)*")?)/g))
    .map(([, name]) => name)
    .filter((name) => name !== undefined);
}
