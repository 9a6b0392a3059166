import { isUnix } from '../core/address.ts';
import { bytesOf, textOf } from './texts.ts';

/** Bytes that a header has for each path. */
export const pathSize = 108;

/** The bytes of a path, `unix:@name` for one of Linux's abstract names; undefined where it is no Unix socket or too long. */
export function pathBytes(address: string): Uint8Array | undefined {
  if (!isUnix(address)) return undefined;
  const bytes = bytesOf(address.slice(5));
  if (bytes[0] === 0x40) bytes[0] = 0;
  return bytes.length > pathSize ? undefined : bytes;
}

/** The address of a path as a header has it, `unix:` for a socket without a name; undefined where the path is no text. */
export function pathAt(bytes: Uint8Array, at: number): string | undefined {
  const field = bytes.subarray(at, at + pathSize);
  const isAbstract = field[0] === 0;
  const name = isAbstract ? field.subarray(1, lastByte(field) + 1) : field.subarray(0, endOf(field));
  if (name.length === 0) return 'unix:';
  const path = textOf(name);
  return path === undefined ? undefined : `unix:${isAbstract ? '@' : ''}${path}`;
}

function endOf(field: Uint8Array): number {
  const end = field.indexOf(0);
  return end < 0 ? field.length : end;
}

/** Where the last byte is that is not zero; 0 if there is none. */
function lastByte(field: Uint8Array): number {
  let at = field.length - 1;
  while (at > 0 && field[at] === 0) at--;
  return at;
}
