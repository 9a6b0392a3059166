import { inCidrs } from './address.ts';
import { type CidrList, readCidrs } from './cidr-list.ts';
import { SpecError } from './errors.ts';
import { at, duration, Fields, integer, list, name } from './spec.ts';

/** How a virtual IP learns from a balancer in front who its clients are. What an update does not name stays. */
export interface AcceptProxyProtocolSpec {
  /**
   * Blocks with the balancers that are believed; `'unix:'` stands for all who connect to a virtual IP on a Unix socket. Whoever
   * connects from elsewhere is turned away. An empty list trusts nobody.
   */
  readonly trustedCidrs: readonly string[];
  /** Milliseconds from a connection's beginning to the end of its header, 1 to 2147483647. Default 3000. */
  readonly timeout?: number | null;
  /** The longest block of addresses and TLVs of a header of version 2 in bytes, 0 to 65535. Default 4096. */
  readonly maximumBlock?: number | null;
}

/** Checked. */
export interface AcceptProxyProtocol {
  readonly trustedCidrs: CidrList;
  /** Whether the clients of a Unix socket are believed. */
  readonly trustsUnix: boolean;
  readonly timeout: number;
  readonly maximumBlock: number;
}

/** How `trustedCidrs` names the clients of a Unix socket, which have no address. */
const unixClients = 'unix:';

const defaultTimeout = 3000;
const defaultBlock = 4096;

/** What an update makes of `current`; where there is none, the balancers that are trusted have to be named. */
export function acceptProxyProtocolOver(
  current: AcceptProxyProtocol | undefined,
): (value: unknown, path: string) => AcceptProxyProtocol {
  return (value, path) => {
    const fields = new Fields(value, path, ['trustedCidrs', 'timeout', 'maximumBlock']);
    const { timeout = defaultTimeout, maximumBlock = defaultBlock } = current ?? {};
    const trusted =
      current === undefined || fields.names('trustedCidrs') ? fields.require('trustedCidrs', readTrusted) : current;
    return Object.freeze({
      trustedCidrs: trusted.trustedCidrs,
      trustsUnix: trusted.trustsUnix,
      timeout: fields.change('timeout', duration(1), defaultTimeout, timeout),
      maximumBlock: fields.change('maximumBlock', integer(0, 65_535), defaultBlock, maximumBlock),
    });
  };
}

type Trusted = Pick<AcceptProxyProtocol, 'trustedCidrs' | 'trustsUnix'>;

function readTrusted(value: unknown, path: string): Trusted {
  const text = list(name)(value, path);
  const blocks = text.flatMap((entry, index) => {
    if (entry === unixClients) return [];
    try {
      return readCidrs([entry], path).blocks;
    } catch {
      throw new SpecError(at(path, index), entry, "a block such as '10.0.0.0/8' or '2001:db8::/32', or 'unix:'");
    }
  });
  return { trustedCidrs: { text, blocks }, trustsUnix: text.includes(unixClients) };
}

/** @param address of the peer; undefined for one of a Unix socket */
export function isTrustedProxy(settings: AcceptProxyProtocol, address: string | undefined): boolean {
  return address === undefined ? settings.trustsUnix : inCidrs(settings.trustedCidrs.blocks, address);
}
