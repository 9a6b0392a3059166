import type { Socket } from 'node:net';
import { checkServerIdentity, connect } from 'node:tls';
import type { TlsCheck } from '../../health/tls-check.ts';
import { outgoingContext } from '../tls/outgoing-context.ts';
import { serverNameOf, verifiedName } from '../tls/peer-name.ts';
import { asReason, type Verdict, type Visited, visit } from './visit.ts';

/** As `visit()`, over TLS: `talk` comes when the handshake has succeeded. */
export type TlsVisit = (target: Visited, talk: (stream: Socket, verdict: Verdict) => void) => Promise<void>;

/**
 * Throws `SpecError` where certificates or key cannot be used.
 *
 * @param name whom to ask for where the check does not say; undefined for the address
 * @param path of the fields of the check
 */
export function tlsVisit(check: TlsCheck, name: string | undefined, path: string): TlsVisit {
  const secureContext = outgoingContext(check, path);
  const protocols = check.alpn?.split(' ');
  return (target, talk) => {
    const host = check.serverName ?? name ?? target.address;
    return visit(target, (socket, verdict) => {
      const stream = connect({
        socket,
        secureContext,
        rejectUnauthorized: check.verify,
        servername: serverNameOf(host),
        checkServerIdentity: (_, certificate) => checkServerIdentity(verifiedName(host), certificate),
        ...(protocols && { ALPNProtocols: protocols }),
      });
      stream.on('secureConnect', () => talk(stream, verdict));
      stream.on('error', (error) => verdict(asReason(error)));
    });
  };
}
