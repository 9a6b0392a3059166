import { isIPv4, maskOf, readIp } from './ip-words.ts';

/**
 * Addresses as text and as numbers. No name is resolved here.
 */

/** What was read last. */
const read = new Int32Array(4);

export function isIp(text: string): boolean {
  return readIp(text, read);
}

/**
 * The one spelling under which a client's address is compared and hashed: what a dual-stack socket reports as
 * `::ffff:10.0.0.1` is the client `10.0.0.1`.
 */
export function canonicalAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** A block of addresses, for example `10.0.0.0/8`. Bits behind the prefix are ignored, as Octavia does. */
export interface Cidr {
  /** As `readIp` gives them, less the bits behind the prefix. */
  readonly words: Int32Array;
  readonly masks: Int32Array;
  /** Whether it is a block of IPv4 addresses: also `::ffff:10.0.0.0/104` is. */
  readonly isIPv4: boolean;
}

/** Parses `address/prefix`, or a bare address as a block of one; undefined where the text is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const words = new Int32Array(4);
  if (text.includes('%') || !readIp(slash < 0 ? text : text.slice(0, slash), words)) return undefined;
  const widest = text.includes(':') ? 128 : 32;
  const bits = slash < 0 ? String(widest) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > widest) return undefined;
  const prefix = Number(bits) + 128 - widest;
  const masks = Int32Array.from([prefix, prefix - 32, prefix - 64, prefix - 96], maskOf);
  const isOfIPv4 = prefix >= 96 && isIPv4(words);
  return { words: words.map((word, at) => word & (masks[at] as number)), masks, isIPv4: isOfIPv4 };
}

function holds({ words, masks }: Cidr): boolean {
  for (let at = 0; at < 4; at++) if (((read[at] as number) & (masks[at] as number)) !== words[at]) return false;
  return true;
}

/**
 * Whether one of the blocks holds the address. An IPv4 client of a dual-stack socket is matched by IPv4 blocks only:
 * `::/0` admits every IPv6 client and no IPv4 client. Text that is no IP address (a Unix socket's client) is in no block.
 */
export function inCidrs(cidrs: readonly Cidr[], address: string): boolean {
  if (!readIp(address, read)) return false;
  const isOfIPv4 = isIPv4(read);
  for (const cidr of cidrs) if (cidr.isIPv4 === isOfIPv4 && holds(cidr)) return true;
  return false;
}

/** `host:port` as text, an IPv6 host in brackets; a Unix socket's path stands alone. */
export function formatEndpoint(address: string, port: number): string {
  if (isUnix(address)) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What only one virtual IP can listen on; undefined where the port is 0, which is another one each time. */
export function fixedEndpoint(address: string, port: number): string | undefined {
  return port === 0 && !isUnix(address) ? undefined : formatEndpoint(address, port);
}

/** Whether the address is a Unix socket, written `unix:/path/to/socket`. */
export function isUnix(address: string): boolean {
  return address.startsWith('unix:');
}

/** Splits `10.0.0.1:80`, `[2001:db8::1]:80`, `name:80` or `unix:/path`; undefined where the text is none of these. */
export function parseEndpoint(text: string): { address: string; port: number } | undefined {
  if (isUnix(text)) return text.length > 5 ? { address: text, port: 0 } : undefined;
  const colon = text.lastIndexOf(':');
  const port = text.slice(colon + 1);
  if (colon < 1 || !/^\d{1,5}$/.test(port)) return undefined;
  const host = text.slice(0, colon);
  const isBracketed = host.startsWith('[') && host.endsWith(']');
  const address = isBracketed ? host.slice(1, -1) : host;
  return isBracketed === address.includes(':') ? { address, port: Number(port) } : undefined;
}

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;

/** Whether the text is a host name by RFC 1123 (and `_` as DNS permits it); what looks like a wrong IPv4 is not. */
export function isHostName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  const labels = name.split('.');
  return name.length <= 253 && labels.every((part) => label.test(part)) && !/^\d+$/.test(labels.at(-1) ?? '');
}
