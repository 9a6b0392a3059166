import type { ClientCertificate } from '../tls/client-certificate.ts';
import type { InsertedHeader } from './insert-headers.ts';

/** What is told of a client that has shown no certificate, as HAProxy does: the fields are there, and empty. */
const none: ClientCertificate = { subject: '', commonName: '', issuer: '', sha1: '', notBefore: '', notAfter: '' };

/** The lines that tell a member of the client's certificate, as Octavia's HAProxy writes them. */
export function certificateFields(
  inserts: ReadonlySet<InsertedHeader>,
  certificate: ClientCertificate | undefined,
): string {
  const { subject, commonName, issuer, sha1, notBefore, notAfter } = certificate ?? none;
  let lines = '';
  // Who has shown a bad one is not served.
  if (inserts.has('X-SSL-Client-Verify')) lines += 'X-SSL-Client-Verify: 0\r\n';
  if (inserts.has('X-SSL-Client-Has-Cert')) lines += `X-SSL-Client-Has-Cert: ${certificate === undefined ? 0 : 1}\r\n`;
  if (inserts.has('X-SSL-Client-DN')) lines += `X-SSL-Client-DN: ${bytesOf(subject)}\r\n`;
  if (inserts.has('X-SSL-Client-CN')) lines += `X-SSL-Client-CN: ${bytesOf(commonName)}\r\n`;
  if (inserts.has('X-SSL-Issuer')) lines += `X-SSL-Issuer: ${bytesOf(issuer)}\r\n`;
  if (inserts.has('X-SSL-Client-SHA1')) lines += `X-SSL-Client-SHA1: ${sha1}\r\n`;
  if (inserts.has('X-SSL-Client-Not-Before')) lines += `X-SSL-Client-Not-Before: ${notBefore}\r\n`;
  if (inserts.has('X-SSL-Client-Not-After')) lines += `X-SSL-Client-Not-After: ${notAfter}\r\n`;
  return lines;
}

const encoder = new TextEncoder();

/** UTF-8, one character a byte, as heads are written. (Of a character beyond that only the last byte would be: perhaps a line's end.) */
function bytesOf(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : String.fromCharCode(...encoder.encode(text));
}
