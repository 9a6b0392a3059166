import { formatAsIPv6, formatGroups, groupsOf, type IpGroups } from './ip-groups.ts';
import { familyOf, type ProxyHeader, unspecifiedHeader } from './proxy-header.ts';
import { noTlvs } from './tlvs.ts';

/** Section 2.1: the longest line, with its CR and LF. */
export const longestLine = 107;

const unknown = unspecifiedHeader(noTlvs);
const portText = /^(?:0|[1-9]\d{0,4})$/;

/** Reads a line without its CR and LF; the reason instead, where it is malformed. */
export function readLine(line: string): ProxyHeader | string {
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return unknown;
  const [, protocol, source, destination, sourcePort, destinationPort, ...more] = line.split(' ');
  if (protocol !== 'TCP4' && protocol !== 'TCP6') return 'a PROXY line of a protocol other than TCP4, TCP6 and UNKNOWN';
  if (destinationPort === undefined || more.length > 0) return 'a PROXY line that has not six words';
  const isIPv4 = protocol === 'TCP4';
  const [from, to] = [readAddress(source, isIPv4), readAddress(destination, isIPv4)];
  if (from === undefined || to === undefined) return `a PROXY line with an address that is none of ${protocol}`;
  const ports = [sourcePort, destinationPort].map((port = '') => (portText.test(port) ? Number(port) : 65536));
  const [fromPort = 65536, toPort = 65536] = ports;
  if (fromPort > 65535 || toPort > 65535) return 'a PROXY line with a port that is none';
  return {
    command: 'proxy',
    family: familyOf('tcp', from, to),
    source: { address: formatGroups(from), port: fromPort },
    destination: { address: formatGroups(to), port: toPort },
    tlvs: noTlvs,
  };
}

function readAddress(text: string | undefined, isIPv4: boolean): IpGroups | undefined {
  return text === undefined || text.includes(':') === isIPv4 ? undefined : groupsOf(text);
}

/** The line, with CR and LF; `UNKNOWN` for whatever is not TCP over IP. */
export function lineOf({ family, source, destination }: ProxyHeader): string {
  const from = source && groupsOf(source.address);
  const to = destination && groupsOf(destination.address);
  if (family !== 'tcp4' && family !== 'tcp6') return 'PROXY UNKNOWN\r\n';
  if (source === undefined || destination === undefined || from === undefined || to === undefined) {
    return 'PROXY UNKNOWN\r\n';
  }
  const isIPv4 = familyOf('tcp', from, to) === 'tcp4';
  const format = isIPv4 ? formatGroups : formatAsIPv6;
  return `PROXY ${isIPv4 ? 'TCP4' : 'TCP6'} ${format(from)} ${format(to)} ${source.port} ${destination.port}\r\n`;
}
