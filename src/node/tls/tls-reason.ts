import { printable } from '../../core/errors.ts';

/** Of what a member may have put into it. */
const longestReason = 200;

/** Why a handshake with a member failed, in words; undefined where it is something else that failed. */
export function tlsReasonOf(error: Error): string | undefined {
  const { reason, code } = error as { readonly reason?: unknown; readonly code?: unknown };
  // Who the certificate is for, which is what the member says.
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return printable(error.message.slice(0, longestReason));
  // OpenSSL's messages are a page of its insides; what happened is in their `reason`.
  if (typeof reason === 'string') return `TLS: ${reason}`;
  if (code === 'ECONNRESET' && error.message.startsWith('Client network socket disconnected')) {
    return 'the member closed the connection in the TLS handshake';
  }
  // Newer Nodes have advice for their own users.
  return error.message.includes('; if the root CA') ? error.message.replace(/; if the root CA.*/s, '') : undefined;
}
