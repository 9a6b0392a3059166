import { createSecureContext, type SecureContext } from 'node:tls';
import { at } from '../../core/spec.ts';
import type { TlsVersion } from '../../tls/tls-config.ts';
import { loadPem, readCertificates } from './loaded-certificate.ts';
import { Material, secretAt, unusable } from './material.ts';
import { attempt, readRevoked } from './openssl-trials.ts';

/** What connections to members need for TLS: PEM, one character a byte. */
interface OutgoingMaterial {
  /** Undefined for the authorities that the runtime trusts. */
  readonly ca: string | undefined;
  readonly crl?: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly passphrase?: string | undefined;
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  readonly ciphers?: string | undefined;
}

/**
 * Made once for all connections, since Node would make a new one for each.
 *
 * @param path of the fields
 * @throws SpecError that never shows a secret, where OpenSSL cannot use one of them
 */
export function outgoingContext(wanted: OutgoingMaterial, path: string): SecureContext {
  const { ca, crl, cert, key, passphrase, minVersion, maxVersion, ciphers } = wanted;
  const material = new Material();
  const bytes = (text: string, name: string): Buffer => material.read({ text }, at(path, name));
  const authorities = ca === undefined ? undefined : bytes(ca, 'ca');
  if (authorities !== undefined) readCertificates(authorities, secretAt(at(path, 'ca')));
  const lists = crl === undefined ? undefined : readRevoked(bytes(crl, 'crl'), secretAt(at(path, 'crl')));
  if (ciphers !== undefined) {
    attempt({ ciphers }, { path: at(path, 'ciphers'), shown: ciphers }, "ciphers in OpenSSL's words");
  }
  const own =
    cert === undefined || key === undefined
      ? {}
      : loadPem({ text: cert }, { text: key }, passphrase, path, material).options;
  try {
    return createSecureContext({
      ...(authorities && { ca: authorities }),
      ...(lists && { crl: lists }),
      ...own,
      ...(ciphers !== undefined && { ciphers }),
      ...(minVersion && { minVersion }),
      ...(maxVersion && { maxVersion }),
    });
  } catch (cause) {
    return unusable(secretAt(path), 'settings that OpenSSL takes', cause);
  }
}
