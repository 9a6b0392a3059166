import { readIp } from '../core/ip-words.ts';

/** An IP address as eight numbers of 16 bits, IPv4 as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2). */
export type IpGroups = readonly number[];

/** The groups of an IP address without a zone; undefined where the text is none. */
export function groupsOf(address: string): IpGroups | undefined {
  const words = new Int32Array(4);
  if (address.includes('%') || !readIp(address, words)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = words;
  return [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff, c >>> 16, c & 0xffff, d >>> 16, d & 0xffff];
}

/** The groups behind an offset, IPv4 where there are four bytes. */
export function groupsAt(bytes: Uint8Array, at: number, isIPv4: boolean): IpGroups {
  const groups = isIPv4 ? [0, 0, 0, 0, 0, 0xffff] : [];
  for (let next = at; groups.length < 8; next += 2) {
    groups.push(((bytes[next] as number) << 8) | (bytes[next + 1] as number));
  }
  return groups;
}

/** Puts the groups, of IPv4 the last two, and gives back where they end. */
export function putGroups(groups: IpGroups, bytes: Uint8Array, at: number, isIPv4: boolean): number {
  let next = at;
  for (let index = isIPv4 ? 6 : 0; index < 8; index++) {
    const group = groups[index] as number;
    bytes[next++] = group >>> 8;
    bytes[next++] = group & 0xff;
  }
  return next;
}

export function isMapped(groups: IpGroups): boolean {
  return groups[5] === 0xffff && groups.every((group, index) => index >= 5 || group === 0);
}

/** The spelling that sockets report and that the rest compares: RFC 5952, an IPv4-mapped address as IPv4. */
export function formatGroups(groups: IpGroups): string {
  return isMapped(groups) ? formatIPv4(groups) : formatIPv6(groups);
}

/** As `formatGroups`, but IPv6 whatever it is: `::ffff:10.0.0.1`. */
export function formatAsIPv6(groups: IpGroups): string {
  return isMapped(groups) ? `::ffff:${formatIPv4(groups)}` : formatIPv6(groups);
}

function formatIPv4(groups: IpGroups): string {
  const high = groups[6] as number;
  const low = groups[7] as number;
  return `${high >>> 8}.${high & 0xff}.${low >>> 8}.${low & 0xff}`;
}

function formatIPv6(groups: IpGroups): string {
  const words = groups.map((group) => group.toString(16));
  const run = longestZeros(groups);
  if (run.length < 2) return words.join(':');
  return `${words.slice(0, run.start).join(':')}::${words.slice(run.start + run.length).join(':')}`;
}

/** RFC 5952, section 4.2.3: of equal runs the first. */
function longestZeros(groups: IpGroups): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index - length + 1, length };
  }
  return longest;
}
