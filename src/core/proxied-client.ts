import type { ProxyEndpoint, ProxyHeader } from '../proxy-protocol/proxy-header.ts';
import { isUnix } from './address.ts';
import type { Client } from './session.ts';

/**
 * The client that a balancer in front speaks for. Where its header names none (`LOCAL`, `UNKNOWN`), it is the peer itself; ends that
 * are Unix sockets have no address here, as if they had connected to one of ours.
 */
export function proxiedClient(peer: Client, proxy: ProxyHeader): Client {
  const { source, destination } = proxy;
  if (source === undefined || destination === undefined) {
    const { address, port, localAddress, localPort } = peer;
    return { address, port, localAddress, localPort, proxy };
  }
  const [from, to] = [ipEnd(source), ipEnd(destination)];
  return { address: from?.address, port: from?.port, localAddress: to?.address, localPort: to?.port, proxy };
}

function ipEnd(end: ProxyEndpoint): ProxyEndpoint | undefined {
  return isUnix(end.address) ? undefined : end;
}
