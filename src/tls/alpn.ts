import { SpecError } from '../core/errors.ts';
import { distinctList } from './distinct-list.ts';

/** Protocols are bytes; of all that are registered, none has any but these. */
const protocolName = /^[!-~]{1,255}$/;

function readProtocol(value: unknown, path: string): string {
  if (typeof value === 'string' && protocolName.test(value)) return value;
  throw new SpecError(path, value, "the name of a protocol such as 'h2' or 'http/1.1'");
}

/**
 * Reads the names of protocols that ALPN agrees upon (RFC 7301), each of 1 to 255 characters of visible ASCII.
 *
 * @throws SpecError where it is no list, has no protocol, has one twice, or one that is none
 */
export const readAlpn: (value: unknown, path: string) => readonly string[] = distinctList(readProtocol, 'protocol');
