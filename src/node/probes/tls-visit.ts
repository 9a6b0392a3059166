import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext } from 'node:tls';
import { isUnix } from '../../core/address.ts';
import { SpecError } from '../../core/errors.ts';
import { at } from '../../core/spec.ts';
import type { ProbeTarget } from '../../health/probe.ts';
import type { TlsCheck } from '../../health/tls-check.ts';
import { type Verdict, visit } from './visit.ts';

/** As `visit()`, over TLS: `talk` comes when the handshake has succeeded. */
export type TlsVisit = (
  target: Pick<ProbeTarget, 'address' | 'port' | 'signal'>,
  talk: (stream: Socket, verdict: Verdict) => void,
) => Promise<void>;

/**
 * Throws `SpecError` where certificates or key cannot be used.
 *
 * @param name whom to ask for where the check does not say; undefined for the address
 * @param path of the fields of the check
 */
export function tlsVisit(check: TlsCheck, name: string | undefined, path: string): TlsVisit {
  // One for all checks; Node would make a new one for each.
  const secureContext = secureContextOf(check, path);
  return (target, talk) => {
    const host = check.serverName ?? name ?? target.address;
    return visit(target, (socket, verdict) => {
      const stream = connect({
        socket,
        secureContext,
        rejectUnauthorized: check.verify,
        servername: serverNameOf(host),
        // What a certificate is verified against where there is no name.
        host: isUnix(host) ? 'localhost' : host.replace(/%.*/, ''),
      });
      stream.on('secureConnect', () => talk(stream, verdict));
      stream.on('error', (error) => verdict(plain(error)));
    });
  };
}

function secureContextOf({ ca, cert, key }: TlsCheck, path: string): SecureContext {
  if (ca !== undefined) refuseUnusable(() => readAll(ca), at(path, 'ca'), 'certificates that can be read');
  if (cert !== undefined) refuseUnusable(() => readAll(cert), at(path, 'cert'), 'a certificate that can be read');
  const trusted = ca === undefined ? {} : { ca };
  const own = cert === undefined || key === undefined ? {} : { cert, key };
  return refuseUnusable(() => createSecureContext({ ...trusted, ...own }), at(path, 'key'), "the certificate's key");
}

/** Node passes over what it cannot read of a `ca`. */
function readAll(pem: string): void {
  for (const [block] of pem.matchAll(certificateBlock)) new X509Certificate(block);
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g;

function refuseUnusable<Made>(make: () => Made, path: string, expected: string): Made {
  try {
    return make();
  } catch (error) {
    // Neither a key nor OpenSSL's page about it belongs into an error, which ends up in a log.
    throw new SpecError(path, undefined, `${expected} (${plain(error as Error).message}; the value is not shown)`);
  }
}

/** The name to ask for in the handshake: no address and no final dot (RFC 6066, section 3). An empty one is not sent. */
function serverNameOf(host: string): string {
  return isUnix(host) || isIP(host) !== 0 ? '' : host.replace(/\.$/, '');
}

/** OpenSSL's messages are a page of its insides; what happened is in their `reason`. */
function plain(error: Error & { readonly reason?: unknown }): Error {
  return typeof error.reason === 'string' ? new Error(`TLS: ${error.reason}`, { cause: error }) : error;
}
