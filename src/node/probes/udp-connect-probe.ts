import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { formatEndpoint, isUnix } from '../../core/address.ts';
import { duration, Fields } from '../../core/spec.ts';
import type { Probe, ProbeTarget } from '../../health/probe.ts';
import { asReason } from './visit.ts';

/** How a UDP check goes about it. */
export interface UdpConnectOptions {
  /** Milliseconds without a word after which the member is taken to be fine, 1 to 2147483647. Default 1000. */
  readonly silence?: number | null;
}

/**
 * Passes where a UDP port answers or keeps silent, and fails where the member's system says that nobody listens there: Octavia's
 * check (`nc -uz -w1`, which sends an `X`). Systems limit how often they say so, and it may get lost, hence there is a second
 * datagram halfway; a member that is gone altogether is silent, too, and passes.
 *
 * Throws `SpecError` where an option is bad.
 */
export function udpConnectProbe<T = unknown>(options: UdpConnectOptions = {}): Probe<T> {
  const silence = new Fields(options, '', ['silence']).read('silence', duration(1), 1000);
  return { name: 'udp-connect', check: (target) => knock(target, silence) };
}

async function knock({ address, port, signal }: Omit<ProbeTarget, 'member'>, silence: number): Promise<void> {
  signal.throwIfAborted();
  if (isUnix(address)) throw new Error('a Unix socket has no UDP port');
  const host = isIP(address) === 0 ? (await lookup(address)).address : address;
  signal.throwIfAborted();
  await hears(host, port, silence, signal);
}

/** @param host an address */
function hears(host: string, port: number, silence: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    const conclude = (settle: () => void): void => {
      clearTimeout(again);
      clearTimeout(end);
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners().on('error', () => {
        // What the second datagram still meets changes nothing.
      });
      socket.close();
      settle();
    };
    const abort = (): void => conclude(() => reject(signal.reason));
    const again = setTimeout(() => socket.send('X'), silence / 2);
    const end = setTimeout(() => conclude(resolve), silence);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('message', () => conclude(resolve));
    socket.on('error', (error) => conclude(() => reject(asReason(unreachable(error, host, port)))));
    socket.on('connect', () => socket.send('X'));
    socket.connect(port, host);
  });
}

/** Node says `recvmsg ECONNREFUSED`, and not of whom. */
function unreachable(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code !== 'ECONNREFUSED') return error;
  return new Error(`UDP port unreachable: ${formatEndpoint(host, port)}`, { cause: error });
}
