import { SpecError } from '../core/errors.ts';
import { at, type Fields } from '../core/spec.ts';
import { certificates, privateKey } from './pem-fields.ts';
import { hidden, oneSource, secretFields, textOf } from './secret-fields.ts';
import { readServerNames } from './server-names.ts';
import type { CertificateSource } from './tls-config.ts';

/**
 * A certificate and its private key: `cert` and `key` in PEM, the files that have them, or both in one PKCS#12 (`pfx`). Files are
 * read when the virtual IP begins to listen, and again whenever they change.
 */
export interface CertificateSpec {
  /** The certificate, then those that lead to its authority. */
  readonly cert?: string | Uint8Array | null;
  readonly certFile?: string | null;
  readonly key?: string | Uint8Array | null;
  readonly keyFile?: string | null;
  readonly pfx?: Uint8Array | null;
  readonly pfxFile?: string | null;
  /** What the key or the PKCS#12 is encrypted with. */
  readonly passphrase?: string | null;
  /** For whom asks for one of these names; `*.a.example` stands for all names with one label more. Default: the certificate's. */
  readonly serverNames?: readonly string[] | null;
}

const names = ['cert', 'certFile', 'key', 'keyFile', 'pfx', 'pfxFile', 'passphrase', 'serverNames'] as const;

/** Reads one certificate, or a list of some. */
export function readCertificates(value: unknown, path: string): readonly CertificateSource[] {
  if (!Array.isArray(value)) return [readCertificate(value, path)];
  if (value.length === 0) throw new SpecError(path, value, 'one certificate at least');
  return value.map((each: unknown, index) => readCertificate(each, at(path, index)));
}

function readCertificate(value: unknown, path: string): CertificateSource {
  const fields = secretFields(value, path, names);
  const passphrase = fields.read('passphrase', readPassphrase, undefined);
  const serverNames = fields.read('serverNames', readServerNames, undefined);
  const pfx = oneSource(fields, 'pfx', 'pfxFile', readPfx);
  const cert = oneSource(fields, 'cert', 'certFile', certificates);
  const key = oneSource(fields, 'key', 'keyFile', privateKey);
  if (pfx !== undefined) {
    refuseBeside(fields, cert === undefined ? undefined : 'cert');
    refuseBeside(fields, key === undefined ? undefined : 'key');
    return { pfx, passphrase, serverNames };
  }
  if (cert === undefined)
    throw new SpecError(at(path, 'cert'), undefined, 'a certificate: cert, certFile, pfx or pfxFile');
  if (key === undefined) throw new SpecError(at(path, 'key'), undefined, "the certificate's key: key or keyFile");
  return { cert, key, passphrase, serverNames };
}

function refuseBeside(fields: Fields<(typeof names)[number]>, name: string | undefined): void {
  if (name !== undefined) throw new SpecError(at(fields.path, name), '(not shown)', 'nothing beside pfx, which has it');
}

export function readPassphrase(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length <= 1024) return value;
  throw new SpecError(path, hidden(value), 'a string of at most 1024 characters');
}

function readPfx(value: unknown, path: string): string {
  if (value instanceof Uint8Array && value.length > 0) return textOf(value);
  throw new SpecError(path, hidden(value), 'the bytes of a PKCS#12');
}
