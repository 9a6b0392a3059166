import type { Socket } from 'node:net';
import type { Timeouts } from '../../core/vip-spec.ts';

/** Milliseconds for which nobody is called slow. */
const grace = 5000;

/** Who is waited for: the client for its `body`, or as the `reader` of its answer; or the `member`. */
export type Whom = 'body' | 'reader' | 'member';

/** Watches whoever is waited for: whether anything moves at all, and on average fast enough. */
export class Pace {
  #whom: Whom | undefined;
  /** Since when that one is waited for, and how much had moved by then. */
  #since = 0;
  #base = 0;
  /** When something was last seen to move, and how much had by then. */
  #lastAt = 0;
  #last = 0;

  /**
   * @param now milliseconds
   * @param minRate bytes a second, 0 for any
   */
  isTooSlow(whom: Whom, client: Socket, member: Socket, now: number, timeouts: Timeouts, minRate: number): boolean {
    switch (whom) {
      case 'body':
        this.#see(whom, client.bytesRead, now);
        return this.#hasStalled(now, timeouts.client) || this.#isSlow(now, 0, minRate);
      case 'reader': {
        // How far bytes on their way have got cannot be seen before all of them have arrived, so they count as taken.
        const pending = client.writableLength;
        this.#see(whom, client.bytesWritten - pending, now);
        return this.#hasStalled(now, timeouts.client) || this.#isSlow(now, pending, minRate);
      }
      case 'member':
        this.#see(whom, member.bytesRead + member.bytesWritten - member.writableLength, now);
        return this.#hasStalled(now, timeouts.member);
    }
  }

  #see(whom: Whom, moved: number, now: number): void {
    if (whom !== this.#whom) {
      this.#whom = whom;
      this.#since = this.#lastAt = now;
      this.#base = this.#last = moved;
    } else if (moved !== this.#last) {
      this.#last = moved;
      this.#lastAt = now;
    }
  }

  #hasStalled(now: number, timeout: number): boolean {
    return timeout > 0 && now - this.#lastAt >= timeout;
  }

  #isSlow(now: number, pending: number, minRate: number): boolean {
    const waited = now - this.#since;
    return waited > grace && (this.#last + pending - this.#base) * 1000 < minRate * waited;
  }
}
