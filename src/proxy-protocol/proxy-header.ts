import { formatGroups, groupsOf, type IpGroups, isMapped } from './ip-groups.ts';
import { noTlvs, type ProxyTlvs } from './tlvs.ts';
import { pathBytes } from './unix-path.ts';

export type ProxyTransport = 'tcp' | 'udp';

/** What the addresses are; `unspec` where there are none, or of a kind that is unknown here. */
export type ProxyFamily = 'tcp4' | 'tcp6' | 'udp4' | 'udp6' | 'unix' | 'unspec';

/** One end of a connection. */
export interface ProxyEndpoint {
  /** An IP address in its one spelling (RFC 5952; `::ffff:10.0.0.1` is `10.0.0.1`), or `unix:/path`. */
  readonly address: string;
  /** 0 to 65535; 0 with a Unix socket. */
  readonly port: number;
}

/** What a balancer says about a client's connection before it passes on the first byte. */
export interface ProxyHeader {
  /** `local`: the sender speaks for itself, in a health check for example. */
  readonly command: 'proxy' | 'local';
  /** IPv6 as soon as one of the ends is. */
  readonly family: ProxyFamily;
  /** The client; where there is none, the peer of the connection itself counts. */
  readonly source: ProxyEndpoint | undefined;
  /** Where the client connected to; there or not as `source` is. */
  readonly destination: ProxyEndpoint | undefined;
  readonly tlvs: ProxyTlvs;
}

/** A header that tells no addresses. */
export function unspecifiedHeader(tlvs: ProxyTlvs): ProxyHeader {
  return { command: 'proxy', family: 'unspec', source: undefined, destination: undefined, tlvs };
}

/** What goes before a connection that nobody is behind, such as a health check's. */
export const localHeader: ProxyHeader = { ...unspecifiedHeader(noTlvs), command: 'local' };

export function familyOf(transport: ProxyTransport, source: IpGroups, destination: IpGroups): ProxyFamily {
  return `${transport}${isMapped(source) && isMapped(destination) ? '4' : '6'}`;
}

/**
 * The header for a client's connection. Where its ends are no pair that the protocol can tell (an IP address and a Unix socket, a
 * path of more than 108 bytes, a name), it is a header without addresses.
 *
 * @param source the client, as its socket spells it; an IPv6 zone (`%eth0`) is left out
 * @param destination where the client connected to
 */
export function relayedHeader(
  transport: ProxyTransport,
  source: ProxyEndpoint,
  destination: ProxyEndpoint,
  tlvs: ProxyTlvs = noTlvs,
): ProxyHeader {
  const [from, to] = [groupsOf(withoutZone(source.address)), groupsOf(withoutZone(destination.address))];
  if (from !== undefined && to !== undefined) {
    return {
      command: 'proxy',
      family: familyOf(transport, from, to),
      source: { address: formatGroups(from), port: source.port },
      destination: { address: formatGroups(to), port: destination.port },
      tlvs,
    };
  }
  if (pathBytes(source.address) === undefined || pathBytes(destination.address) === undefined) {
    return unspecifiedHeader(tlvs);
  }
  return { command: 'proxy', family: 'unix', source, destination, tlvs };
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}
