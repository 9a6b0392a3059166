import { Fields, integer } from '../../core/spec.ts';

/** How much of an address tells one client from another: all addresses that agree in so many leading bits are one. */
export interface GranularitySpec {
  /** 1 to 32. */
  readonly ipv4?: number | null;
  /** 1 to 128. 64 is what one household or host usually has. */
  readonly ipv6?: number | null;
}

/** Checked. */
export interface Granularity {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** @param defaults for what is not named */
export function granularityOver(defaults: Granularity): (value: unknown, path: string) => Granularity {
  return (value, path) => {
    const fields = new Fields(value, path, ['ipv4', 'ipv6']);
    return {
      ipv4: fields.read('ipv4', integer(1, 32), defaults.ipv4),
      ipv6: fields.read('ipv6', integer(1, 128), defaults.ipv6),
    };
  };
}
