import { isUnix } from '../core/address.ts';
import { address } from '../core/endpoint-spec.ts';
import { SpecError } from '../core/errors.ts';
import { at, type Fields, integer } from '../core/spec.ts';

/** Where a member is checked, as far as that is not where it serves (Octavia's `monitor_address` and `monitor_port`). */
export interface MonitorEndpoint {
  readonly monitorAddress: string | undefined;
  readonly monitorPort: number | undefined;
}

/** Where a member serves. */
interface Served {
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
}

const port = integer(1, 65535);

/** What a spec or an update leaves of `current`, of a member that serves at `served`. */
export function readMonitorEndpoint(
  fields: Fields<'monitorAddress' | 'monitorPort'>,
  served: Served,
  current: MonitorEndpoint,
): MonitorEndpoint {
  const monitorAddress = fields.change<string | undefined>(
    'monitorAddress',
    address,
    undefined,
    current.monitorAddress,
  );
  const monitorPort = fields.change<number | undefined>('monitorPort', port, undefined, current.monitorPort);
  const checksUnix = isUnix(monitorAddress ?? served.address);
  if (checksUnix && monitorPort !== undefined) {
    throw new SpecError(at(fields.path, 'monitorPort'), monitorPort, 'no port beside the path of a Unix socket');
  }
  if (!checksUnix && monitorPort === undefined && served.port === 0) {
    throw new SpecError(at(fields.path, 'monitorPort'), monitorPort, 'a port, which the Unix socket does not have');
  }
  return { monitorAddress, monitorPort };
}

/** Where a check of the member knocks. */
export function endpointToCheck({ address, port, monitorAddress, monitorPort }: Served & MonitorEndpoint): Served {
  const host = monitorAddress ?? address;
  return { address: host, port: isUnix(host) ? 0 : (monitorPort ?? port) };
}
