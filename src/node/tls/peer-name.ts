import { isIP } from 'node:net';
import { isUnix } from '../../core/address.ts';

/** The name to ask for in a handshake: no address and no final dot (RFC 6066, section 3). An empty one is not sent. */
export function serverNameOf(host: string): string {
  return isUnix(host) || isIP(host) !== 0 || host.includes('%') ? '' : host.replace(/\.$/, '');
}

/** What a certificate is verified against: Unix sockets have no name, and a zone means something on this machine only. */
export function verifiedName(host: string): string {
  return isUnix(host) ? 'localhost' : host.replace(/%.*/, '');
}
