import { crc32c } from './crc32c.ts';
import { formatGroups, groupsAt, groupsOf, isMapped, putGroups } from './ip-groups.ts';
import { familyOf, localHeader, type ProxyHeader, type ProxyTransport, unspecifiedHeader } from './proxy-header.ts';
import { isTlvs, putTlvs, sizeOf, type Tlv } from './tlv.ts';
import { checksumType, noTlvs, type ProxyTlvs, readTlvs, tlvList } from './tlvs.ts';
import { pathAt, pathBytes, pathSize } from './unix-path.ts';

/** Section 2.2: what begins a header, and nothing that any other protocol begins with. */
export const signature: Uint8Array = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);

/** The signature, version and command, family and transport, and the length of what follows. */
export const fixedSize = 16;

/** The longest block behind the fixed part that is written, and by default the longest that is read. */
export const longestBlock = 4096;

const local = 0x20;
const proxy = 0x21;
/** Byte 14: the address family in the high half, the transport in the low one. */
const stream = 1;
const datagram = 2;
const inet = 0x10;
const inet6 = 0x20;
const unix = 0x30;
const unspecified = 0x00;

/** What is wrong with the command, if anything. */
export function commandError(byte: number): string | undefined {
  if (byte >>> 4 !== 2) return `version ${byte >>> 4} of the PROXY protocol in binary form`;
  return byte === local || byte === proxy ? undefined : `a PROXY header with the unknown command ${byte & 15}`;
}

/** Reads a header that is there from its first byte to its last; the reason instead, where it is malformed. */
export function readHeader(header: Uint8Array): ProxyHeader | string {
  // "Discard the protocol block including the family which is ignored."
  if (header[12] === local) return localHeader;
  const family = (header[13] as number) & 0xf0;
  const transport = (header[13] as number) & 0x0f;
  if (family === unspecified) return readUnspecified(header);
  // Section 2.2 would have these refused; nginx takes them, and newer senders may need it.
  if (family > unix || (transport !== stream && transport !== datagram)) return unspecifiedHeader(noTlvs);
  const width = family === inet ? 4 : family === inet6 ? 16 : pathSize;
  const addressSize = 2 * width + (family === unix ? 0 : 4);
  if (header.length < fixedSize + addressSize) return 'a PROXY header that is too short for its addresses';
  const tlvs = readTlvs(header, fixedSize + addressSize);
  if (typeof tlvs === 'string') return tlvs;
  return family === unix ? readPaths(header, tlvs) : readIps(header, width, transport === stream ? 'tcp' : 'udp', tlvs);
}

function readIps(header: Uint8Array, width: 4 | 16 | 108, transport: ProxyTransport, tlvs: ProxyTlvs): ProxyHeader {
  const from = groupsAt(header, fixedSize, width === 4);
  const to = groupsAt(header, fixedSize + width, width === 4);
  const ports = new DataView(header.buffer, header.byteOffset + fixedSize + 2 * width);
  return {
    command: 'proxy',
    family: familyOf(transport, from, to),
    source: { address: formatGroups(from), port: ports.getUint16(0) },
    destination: { address: formatGroups(to), port: ports.getUint16(2) },
    tlvs,
  };
}

function readPaths(header: Uint8Array, tlvs: ProxyTlvs): ProxyHeader | string {
  const from = pathAt(header, fixedSize);
  const to = pathAt(header, fixedSize + pathSize);
  if (from === undefined || to === undefined) return 'a PROXY header with a path that is no text';
  return {
    command: 'proxy',
    family: 'unix',
    source: { address: from, port: 0 },
    destination: { address: to, port: 0 },
    tlvs,
  };
}

/**
 * HAProxy and nginx send TLVs right behind the fixed part where they have no address to tell. Others may put addresses there, which
 * are to be ignored: what is not TLVs from end to end is skipped.
 */
function readUnspecified(header: Uint8Array): ProxyHeader | string {
  if (!isTlvs(header, fixedSize)) return unspecifiedHeader(noTlvs);
  const tlvs = readTlvs(header, fixedSize);
  return typeof tlvs === 'string' ? tlvs : unspecifiedHeader(tlvs);
}

/**
 * Writes a header with its addresses and TLVs. One without addresses becomes `local`, as with HAProxy: every receiver has to accept
 * that and use the connection's own addresses, whereas HAProxy closes connections of an unspecified family.
 */
export function headerBytes(header: ProxyHeader): Uint8Array {
  const ips = ipBlock(header);
  if (ips !== undefined) {
    const transport = header.family.startsWith('udp') ? datagram : stream;
    return assemble(proxy, (ips.length === 12 ? inet : inet6) | transport, ips, header.tlvs);
  }
  const paths = pathBlock(header);
  if (paths !== undefined) return assemble(proxy, unix | stream, paths, header.tlvs);
  return assemble(local, unspecified, new Uint8Array(0), header.tlvs);
}

/** The addresses decide whether it is IPv4, so that no header can contradict itself. */
function ipBlock({ family, source, destination }: ProxyHeader): Uint8Array | undefined {
  if (family === 'unix' || family === 'unspec' || source === undefined || destination === undefined) return undefined;
  const [from, to] = [groupsOf(source.address), groupsOf(destination.address)];
  if (from === undefined || to === undefined) return undefined;
  const isIPv4 = isMapped(from) && isMapped(to);
  const bytes = new Uint8Array(isIPv4 ? 12 : 36);
  const end = putGroups(to, bytes, putGroups(from, bytes, 0, isIPv4), isIPv4);
  const ports = new DataView(bytes.buffer, end);
  ports.setUint16(0, source.port);
  ports.setUint16(2, destination.port);
  return bytes;
}

function pathBlock({ family, source, destination }: ProxyHeader): Uint8Array | undefined {
  if (family !== 'unix' || source === undefined || destination === undefined) return undefined;
  const [from, to] = [pathBytes(source.address), pathBytes(destination.address)];
  if (from === undefined || to === undefined) return undefined;
  const bytes = new Uint8Array(2 * pathSize);
  bytes.set(from);
  bytes.set(to, pathSize);
  return bytes;
}

function assemble(command: number, family: number, addresses: Uint8Array, tlvs: ProxyTlvs): Uint8Array {
  const checksum: readonly Tlv[] = tlvs.hasChecksum ? [{ type: checksumType, value: new Uint8Array(4) }] : [];
  const list = tlvList(tlvs, longestBlock - addresses.length - sizeOf(checksum)).concat(checksum);
  const length = addresses.length + sizeOf(list);
  const bytes = new Uint8Array(fixedSize + length);
  const view = new DataView(bytes.buffer);
  bytes.set(signature);
  bytes[12] = command;
  bytes[13] = family;
  view.setUint16(14, length);
  bytes.set(addresses, fixedSize);
  putTlvs(list, bytes, fixedSize + addresses.length);
  // It comes last, and is zero while it is reckoned.
  if (tlvs.hasChecksum) view.setUint32(bytes.length - 4, crc32c(bytes));
  return bytes;
}
