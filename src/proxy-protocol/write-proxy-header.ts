import type { ProxyHeader } from './proxy-header.ts';
import { bytesOf } from './texts.ts';
import { lineOf } from './version-1.ts';
import { headerBytes } from './version-2.ts';

/**
 * The bytes that go before everything else on a connection (HAProxy, doc/proxy-protocol.txt, section 2). Costs a few microseconds;
 * refuses nothing: what a version cannot tell is left out.
 *
 * - Version 1 knows TCP over IP and no more: all else, and `local`, becomes `PROXY UNKNOWN`. HAProxy and nginx accept that and use
 *   the connection's own addresses, but other servers may not.
 * - Version 2 tells every family, and TLVs up to a block of 4,096 bytes in all; a header without addresses becomes `local`. HAProxy
 *   closes connections whose header tells of Unix sockets or UDP.
 */
export function writeProxyHeader(version: 1 | 2, header: ProxyHeader): Uint8Array {
  return version === 1 ? bytesOf(lineOf(header)) : headerBytes(header);
}
