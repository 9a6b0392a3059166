import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { systemClock, type Timer } from '../core/clock.ts';
import { EvenkeelError } from '../core/errors.ts';

const interval = 1000;

/**
 * Notices that the process has run out of file descriptors. Node does not tell: libuv then accepts clients on a descriptor kept
 * for that purpose and closes them at once, without an event. So one is opened now and then, to see whether it can be.
 *
 * @param troubled called once each time that they run out, not as long as they are
 */
export function watchDescriptors(troubled: (error: EvenkeelError) => void): Disposable {
  let isOut = false;
  let timer: Timer;
  const look = (): void => {
    const cause = failure();
    if (cause !== undefined && !isOut) {
      const message = `clients are dropped: ${cause instanceof Error ? cause.message : String(cause)}`;
      troubled(new EvenkeelError('ERR_EVENKEEL_LOCAL_RESOURCE', message, { cause }));
    }
    isOut = cause !== undefined;
    timer = systemClock.setTimeout(look, interval);
  };
  timer = systemClock.setTimeout(look, interval);
  return { [Symbol.dispose]: () => systemClock.clearTimeout(timer) };
}

function failure(): unknown {
  try {
    closeSync(openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    return error;
  }
}
