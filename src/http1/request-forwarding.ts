import type { ClientCertificate } from '../tls/client-certificate.ts';
import { certificateFields } from './certificate-fields.ts';
import * as field from './field.ts';
import type { InsertedHeader } from './insert-headers.ts';
import type { RequestHead } from './request-head.ts';

/** Where a request came in. */
export interface Hop {
  /** The client's IP address; undefined on a Unix socket. */
  readonly clientAddress: string | undefined;
  /** Where it was accepted, for a request of HTTP/1.0 that names no host. */
  readonly localAddress: string | undefined;
  /** The listener's port. */
  readonly localPort: number | undefined;
  readonly protocol: 'http' | 'https';
  /** Where TLS ends here, what the client has shown. */
  readonly certificate?: ClientCertificate | undefined;
}

/** Says what of a `Cookie` field goes on; empty: no such field. */
export interface CookieForwarding {
  forwarded(cookies: string): string;
}

/**
 * How requests go on to members: hop-by-hop fields stay behind, fields that tell of the client are put in by rule. Made once for
 * a virtual IP's settings, one for clients that are trusted to know more of the client than we do, one for all others.
 */
export class RequestForwarding {
  readonly #inserts: ReadonlySet<InsertedHeader>;
  readonly #isTrusted: boolean;
  readonly #requestId: () => string;
  readonly #tellsOfCertificate: boolean;
  /** By kind of field, whether it stays behind. */
  readonly #drops = new Uint8Array(field.kinds);

  /** @param requestId makes a value that no other request has */
  constructor(inserts: ReadonlySet<InsertedHeader>, isTrusted: boolean, requestId: () => string) {
    this.#inserts = inserts;
    this.#isTrusted = isTrusted;
    this.#requestId = requestId;
    this.#tellsOfCertificate = [...inserts].some((name) => name.startsWith('X-SSL-'));
    const { connection, transferEncoding, contentLength, upgrade, te, keepAlive, dropped } = field;
    const { xForwardedFor, xForwardedPort, xForwardedProto, forwarded, claim, certificateClaim, via, xRequestId } =
      field;
    const drops = [connection, transferEncoding, contentLength, upgrade, te, keepAlive, dropped];
    // A stranger's word about where it comes from goes nowhere, whether we have one of our own to put in its place or not.
    if (!isTrusted) drops.push(xForwardedFor, xForwardedPort, xForwardedProto, forwarded, claim, certificateClaim);
    // Lists are put together anew.
    if (inserts.has('X-Forwarded-For')) drops.push(xForwardedFor);
    if (inserts.has('Forwarded')) drops.push(forwarded);
    if (inserts.has('Via')) drops.push(via);
    if (inserts.has('X-Request-Id') && !isTrusted) drops.push(xRequestId);
    // Where this hop knows the certificate, nobody knows it better.
    if (this.#tellsOfCertificate) drops.push(certificateClaim);
    for (const kind of drops) this.#drops[kind] = 1;
  }

  /**
   * The head that goes to the member, complete with its blank line.
   *
   * @param cookies where undefined, they go on as they are
   */
  head(head: RequestHead, hop: Hop, cookies?: CookieForwarding): string {
    const { text, fields } = head;
    const { count, kind } = fields;
    const first = count > 0 ? (fields.nameStart[0] as number) : fields.end;
    let out = '';
    let from = first;
    if (head.isTargetAsSent && head.minorVersion === 1) from = 0;
    else out = `${head.method} ${head.target} HTTP/1.1\r\n`;
    for (let index = 0; index < count; index++) {
      if (cookies !== undefined && kind[index] === field.cookie) {
        const value = head.value(index);
        const rest = cookies.forwarded(value);
        if (rest === value) continue;
        out += text.slice(from, rest === '' ? fields.nameStart[index] : fields.valueStart[index]);
        if (rest !== '') out += `${rest}\r\n`;
      } else {
        if (!this.#staysBehind(kind[index] as number, head)) continue;
        out += text.slice(from, fields.nameStart[index]);
      }
      from = fields.lineEnd(index);
    }
    out += text.slice(from, fields.end);
    return `${out}${this.#added(head, hop)}\r\n`;
  }

  #staysBehind(kind: number, head: RequestHead): boolean {
    if (this.#drops[kind] === 1) return true;
    if (kind === field.trailer) return !head.isChunked;
    return kind === field.expect && !head.expectsContinue;
  }

  #added(head: RequestHead, hop: Hop): string {
    let added = '';
    // Framing is ours: spelled one way, whatever blanks and capitals it came with.
    if (head.isChunked) added += 'Transfer-Encoding: chunked\r\n';
    else if (head.contentLength >= 0) added += `Content-Length: ${head.contentLength}\r\n`;
    if (!head.hasHost) added += `Host: ${head.authority || hostOf(hop)}\r\n`;
    if (head.asksForUpgrade) added += `Connection: Upgrade\r\nUpgrade: ${head.value(head.upgradeAt)}\r\n`;
    // RFC 9110, section 10.1.4: TE is named. Beside an upgrade it would make a list of what members may take for one word.
    else if (head.takesTrailers) added += 'Connection: TE\r\nTE: trailers\r\n';
    if (this.#inserts.size > 0) added += this.#inserted(head, hop);
    return added;
  }

  #inserted(head: RequestHead, hop: Hop): string {
    const inserts = this.#inserts;
    const { clientAddress, localPort, protocol } = hop;
    let added = '';
    if (inserts.has('X-Forwarded-For') && clientAddress !== undefined) {
      added += `X-Forwarded-For: ${this.#before(head, field.xForwardedFor)}${clientAddress}\r\n`;
    }
    if (inserts.has('X-Forwarded-Port') && localPort !== undefined && this.#lacks(head, field.xForwardedPort)) {
      added += `X-Forwarded-Port: ${localPort}\r\n`;
    }
    if (inserts.has('X-Forwarded-Proto') && this.#lacks(head, field.xForwardedProto)) {
      added += `X-Forwarded-Proto: ${protocol}\r\n`;
    }
    if (inserts.has('Forwarded')) {
      added += `Forwarded: ${this.#before(head, field.forwarded)}for=${nodeOf(clientAddress)};proto=${protocol}\r\n`;
    }
    if (inserts.has('X-Request-Id') && this.#lacks(head, field.xRequestId)) {
      added += `X-Request-Id: ${this.#requestId()}\r\n`;
    }
    if (inserts.has('Via')) added += `Via: ${listed(head, field.via)}1.${head.minorVersion} evenkeel\r\n`;
    if (this.#tellsOfCertificate) added += certificateFields(inserts, hop.certificate);
    return added;
  }

  /** Whether the request brings no value of its own that we believe. */
  #lacks(head: RequestHead, kind: number): boolean {
    return !this.#isTrusted || head.valueOf(kind) === undefined;
  }

  #before(head: RequestHead, kind: number): string {
    return this.#isTrusted ? listed(head, kind) : '';
  }
}

/** What all fields of a kind list, ready for one more entry. */
function listed(head: RequestHead, kind: number): string {
  const { fields } = head;
  let list = '';
  for (let index = 0; index < fields.count; index++) {
    if (fields.kind[index] === kind && head.value(index) !== '') list += `${head.value(index)}, `;
  }
  return list;
}

/** RFC 7239, section 6: an IPv6 address is bracketed, and therefore quoted. */
function nodeOf(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.includes(':') ? `"[${withoutZone(address)}]"` : address;
}

function hostOf({ localAddress, localPort }: Hop): string {
  if (localAddress === undefined) return 'localhost';
  return `${localAddress.includes(':') ? `[${withoutZone(localAddress)}]` : localAddress}:${localPort}`;
}

/** Of `fe80::1%eth0`, what means something beyond this machine. */
function withoutZone(address: string): string {
  return address.replace(/%.*/, '');
}
