import { type Cidr, parseCidr } from './address.ts';
import { SpecError } from './errors.ts';
import { at, list, name } from './spec.ts';

/** Blocks of addresses. */
export interface CidrList {
  /** As they were written. */
  readonly text: readonly string[];
  readonly blocks: readonly Cidr[];
}

export function readCidrs(value: unknown, path: string): CidrList {
  const text = list((entry, entryPath) => name(entry, entryPath))(value, path);
  const blocks = text.map((entry, index) => {
    const cidr = parseCidr(entry);
    if (cidr === undefined)
      throw new SpecError(at(path, index), entry, "a block such as '10.0.0.0/8' or '2001:db8::/32'");
    return cidr;
  });
  return { text, blocks };
}
