/**
 * Addresses as text and as numbers. No name is resolved here.
 */

/** An IP address as eight groups of 16 bits; an IPv4 address is held as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2). */
type IpGroups = readonly number[];

const decimalOctet = /^(?:0|[1-9]\d{0,2})$/;
/** RFC 6874 §2. */
const zoneName = /^[a-z0-9._~-]+$/i;
const hexGroup = /^[0-9a-f]{1,4}$/i;

function parseIPv4(text: string): [high: number, low: number] | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (!decimalOctet.test(octet) || Number(octet) > 255) return undefined;
    value = value * 256 + Number(octet);
  }
  return [Math.floor(value / 65536), value % 65536];
}

function parseIPv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half, position) => parseGroups(half, position === halves.length - 1));
  const [head, tail] = groups;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 8 ? head : undefined;
  const gap = 8 - head.length - tail.length;
  return gap < 1 ? undefined : [...head, ...new Array<number>(gap).fill(0), ...tail];
}

function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (hexGroup.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      const embedded = isLast && index === parts.length - 1 ? parseIPv4(part) : undefined;
      if (embedded === undefined) return undefined;
      groups.push(...embedded);
    }
  }
  return groups;
}

function splitOnce(text: string, separator: string): string[] {
  const index = text.indexOf(separator);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

/** The groups of an IP literal (`10.0.0.1`, `2001:db8::1`, `::ffff:10.0.0.1`, `fe80::1%eth0`), or undefined. */
function parseIp(text: string): IpGroups | undefined {
  const ipv4 = parseIPv4(text);
  if (ipv4 !== undefined) return [0, 0, 0, 0, 0, 0xffff, ...ipv4];
  const [address = '', zone] = splitOnce(text, '%');
  return zone === undefined || zoneName.test(zone) ? parseIPv6(address) : undefined;
}

export function isIp(text: string): boolean {
  return parseIp(text) !== undefined;
}

function isMapped(groups: IpGroups): boolean {
  return groups[5] === 0xffff && groups.every((group, index) => index >= 5 || group === 0);
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
  readonly groups: IpGroups;
  /** Significant bits of the 128. */
  readonly prefix: number;
}

/** Parses `address/prefix`, or a bare address as a block of one; undefined where the text is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const groups = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (groups === undefined || text.includes('%')) return undefined;
  const isIPv4 = !text.includes(':');
  const widest = isIPv4 ? 32 : 128;
  const bits = slash < 0 ? String(widest) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > widest) return undefined;
  return { groups, prefix: Number(bits) + (isIPv4 ? 96 : 0) };
}

function contains(cidr: Cidr, ip: IpGroups): boolean {
  for (let index = 0, left = cidr.prefix; left > 0; index++, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff;
    if ((((cidr.groups[index] as number) ^ (ip[index] as number)) & mask) !== 0) return false;
  }
  return true;
}

/**
 * Whether one of the blocks holds the address. An IPv4 client of a dual-stack socket is matched by IPv4 blocks only:
 * `::/0` admits every IPv6 client and no IPv4 client. Text that is no IP address (a Unix socket's client) is in no block.
 */
export function inCidrs(cidrs: readonly Cidr[], address: string): boolean {
  const ip = parseIp(address);
  if (ip === undefined) return false;
  const mapped = isMapped(ip);
  return cidrs.some((cidr) => (cidr.prefix >= 96 && isMapped(cidr.groups)) === mapped && contains(cidr, ip));
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
