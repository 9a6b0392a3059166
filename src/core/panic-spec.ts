import type { PanicSettings } from './priority-load.ts';
import { boolean, Fields, integer } from './spec.ts';

/** What happens when so few members are healthy that they could not bear all clients, or the checks themselves must be wrong. */
export interface PanicSpec {
  /** Percent of the members of a level, 0 to 100: with fewer healthy ones it panics. 0 is never. Default 50. */
  readonly threshold?: number | null;
  /** With fewer healthy members than this, a level that has clients to serve panics as well, 0 to 65536. Default 0. */
  readonly minHealthy?: number | null;
  /**
   * `false` uses all members of a level in panic, healthy or not (fails open); `true` uses none of them: other levels and the backups
   * take its clients, or they are refused. Default false.
   */
  readonly failTraffic?: boolean | null;
}

export function readPanic(value: unknown, path: string): PanicSettings {
  const fields = new Fields(value, path, ['threshold', 'minHealthy', 'failTraffic']);
  return Object.freeze({
    threshold: fields.read('threshold', integer(0, 100), 50),
    minHealthy: fields.read('minHealthy', integer(0, 65_536), 0),
    failTraffic: fields.read('failTraffic', boolean, false),
  });
}
