import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { blocksOf, unusable, type Where } from './material.ts';

/** The lists of revoked certificates in a PEM, each of which OpenSSL can read. */
export function readRevoked(pem: Buffer, where: Where): string[] {
  const expected = 'lists of revoked certificates in PEM';
  const lists = blocksOf(pem, 'X509 CRL', where, expected);
  for (const crl of lists) attempt({ crl }, where, expected);
  return [...lists];
}

/** Throws `SpecError` where OpenSSL does not take the options. */
export function attempt(options: SecureContextOptions, where: Where, expected: string): void {
  try {
    createSecureContext({ ...options, ca: [] });
  } catch (cause) {
    unusable(where, expected, cause);
  }
}
