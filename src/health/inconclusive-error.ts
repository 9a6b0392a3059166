import { EvenkeelError } from '../core/errors.ts';

/**
 * Thrown by a probe that could not look, for a reason of our own (no file descriptor left, say): the check counts neither
 * for nor against the member. `code` is `'ERR_EVENKEEL_PROBE'`.
 */
export class InconclusiveError extends EvenkeelError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_EVENKEEL_PROBE', message, options);
  }
}
