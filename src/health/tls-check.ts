import { SpecError } from '../core/errors.ts';
import { at, boolean, type Fields } from '../core/spec.ts';
import { readAlpn } from '../tls/alpn.ts';
import { certificates, hostName, plainPrivateKey } from '../tls/pem-fields.ts';

/** How a check speaks TLS, as a user describes it. */
export interface TlsCheckSpec {
  /**
   * Whether the member's certificate must be good: of an authority that is trusted, and for `serverName` or else the address that is
   * checked. Default false, or true where `ca` is given: members have certificates of their own making or for the name that
   * clients know, and nothing secret is said to them.
   */
  readonly verify?: boolean | null;
  /** Certificates of the authorities to trust, in PEM, instead of those that the runtime trusts. */
  readonly ca?: string | Uint8Array | null;
  /** The certificate that the check shows to a member that asks for one, in PEM, with those that lead to its authority. Needs `key`. */
  readonly cert?: string | Uint8Array | null;
  /** The private key of `cert`, in PEM, not encrypted. */
  readonly key?: string | Uint8Array | null;
  /** The name that is asked for in the handshake, 1 to 253 characters. Default: `domainName`, or the address where it is a name. */
  readonly serverName?: string | null;
  /** Protocols to offer with ALPN, best first (HAProxy's `check-alpn`). Default: none. */
  readonly alpn?: readonly string[] | null;
}

/** A checked TLS check. */
export interface TlsCheck {
  readonly verify: boolean;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
  /** A blank between them. */
  readonly alpn: string | undefined;
}

export type TlsCheckField = keyof TlsCheck;

export const tlsCheckFields: readonly TlsCheckField[] = ['verify', 'ca', 'cert', 'key', 'serverName', 'alpn'];

export function readTlsCheck(fields: Fields<TlsCheckField>): TlsCheck {
  const ca = fields.read('ca', certificates, undefined);
  const verify = fields.read('verify', boolean, ca !== undefined);
  if (!verify && ca !== undefined) {
    throw new SpecError(at(fields.path, 'verify'), verify, 'true, or no ca, which only says whom to trust');
  }
  const cert = fields.read('cert', certificates, undefined);
  const key = fields.read('key', plainPrivateKey, undefined);
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? 'cert' : 'key';
    throw new SpecError(at(fields.path, missing), undefined, 'both a cert and its key, or neither');
  }
  const serverName = fields.read('serverName', hostName, undefined);
  return { verify, ca, cert, key, serverName, alpn: fields.read('alpn', readAlpn, undefined)?.join(' ') };
}
