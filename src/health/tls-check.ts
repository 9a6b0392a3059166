import { isHostName } from '../core/address.ts';
import { SpecError } from '../core/errors.ts';
import { at, boolean, type Fields } from '../core/spec.ts';

/** How a check speaks TLS, as a user describes it. */
export interface TlsCheckSpec {
  /**
   * Whether the member's certificate must be good: of an authority that is trusted, and for `serverName` or else the address that is
   * checked. Default false, or true where `ca` is given: members have certificates of their own making or for the name that
   * clients know, and nothing secret is said to them.
   */
  readonly verify?: boolean | null;
  /** Certificates of the authorities to trust, in PEM, instead of those that the runtime trusts. */
  readonly ca?: string | null;
  /** The certificate that the check shows to a member that asks for one, in PEM, with those that lead to its authority. Needs `key`. */
  readonly cert?: string | null;
  /** The private key of `cert`, in PEM, not encrypted. */
  readonly key?: string | null;
  /** The name that is asked for in the handshake, 1 to 253 characters. Default: `domainName`, or the address where it is a name. */
  readonly serverName?: string | null;
}

/** A checked TLS check. */
export interface TlsCheck {
  readonly verify: boolean;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
}

export type TlsCheckField = keyof TlsCheck;

export const tlsCheckFields: readonly TlsCheckField[] = ['verify', 'ca', 'cert', 'key', 'serverName'];

export function readTlsCheck(fields: Fields<TlsCheckField>): TlsCheck {
  const ca = fields.read('ca', certificates, undefined);
  const verify = fields.read('verify', boolean, ca !== undefined);
  if (!verify && ca !== undefined) {
    throw new SpecError(at(fields.path, 'verify'), verify, 'true, or no ca, which only says whom to trust');
  }
  const cert = fields.read('cert', certificates, undefined);
  const key = fields.read('key', privateKey, undefined);
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? 'cert' : 'key';
    throw new SpecError(at(fields.path, missing), undefined, 'both a cert and its key, or neither');
  }
  return { verify, ca, cert, key, serverName: fields.read('serverName', host, undefined) };
}

function certificates(value: unknown, path: string): string {
  if (typeof value === 'string' && value.includes('-----BEGIN CERTIFICATE-----')) return value;
  throw new SpecError(path, value, 'certificates in PEM');
}

function privateKey(value: unknown, path: string): string {
  if (typeof value === 'string' && /-----BEGIN (?:(?!ENCRYPTED)[A-Z]+ )?PRIVATE KEY-----/.test(value)) return value;
  // What was given may be a key all the same, and an error ends up in a log.
  throw new SpecError(path, undefined, 'a private key in PEM that is not encrypted (the value is not shown)');
}

function host(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length <= 253 && isHostName(value)) return value;
  throw new SpecError(path, value, 'a host name of 1 to 253 characters');
}
