import type { OutlierHost } from '../safeguards/outlier-detector.ts';
import type { Emitter } from './emitter.ts';
import type { PoolEvents } from './pool-events.ts';
import type { Roster } from './roster.ts';

/** A pool, as outlier detection sees it. */
export function outlierHost<T>(
  pool: Emitter<PoolEvents<T>>,
  roster: Roster<T>,
  change: () => Disposable,
): OutlierHost<T> {
  return {
    get states() {
      return roster.states;
    },
    change,
    review: (state) => roster.review(state),
    ejected: (event) => pool.emit('member-ejected', event),
    readmitted: (event) => pool.emit('member-readmitted', event),
    withheld: (event) => pool.emit('ejection-withheld', event),
    trialPassed: ({ member }) => pool.emit('trial-passed', { member }),
  };
}
