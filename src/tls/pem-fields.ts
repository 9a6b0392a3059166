import { isHostName } from '../core/address.ts';
import { SpecError } from '../core/errors.ts';
import { hidden, pem } from './secret-fields.ts';

/** What pools and checks are told for TLS to members. Nothing that may be a secret is shown in an error, which ends up in a log. */

export const certificates: (value: unknown, path: string) => string = pem(
  '(?:TRUSTED |X509 )?CERTIFICATE',
  'certificates in PEM',
);
export const revocations: (value: unknown, path: string) => string = pem(
  'X509 CRL',
  'lists of revoked certificates in PEM',
);
export const privateKey: (value: unknown, path: string) => string = pem(
  '(?:[A-Z]+ )?PRIVATE KEY',
  'a private key in PEM',
);

/** A private key for which there is no pass phrase. */
export function plainPrivateKey(value: unknown, path: string): string {
  const text = anyKey(value, path);
  if (!/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text)) return text;
  throw new SpecError(path, hidden(value), notEncrypted);
}

const notEncrypted = 'a private key in PEM that is not encrypted';
const anyKey = pem('(?:[A-Z]+ )?PRIVATE KEY', notEncrypted);

export function hostName(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length <= 253 && isHostName(value)) return value;
  throw new SpecError(path, value, 'a host name of 1 to 253 characters');
}
