import type { Attachment, Placement, PreparedChange } from './attachment.ts';

/** Those who give a balancer's virtual IPs real listeners, and the order in which they follow its changes: one at a time. */
export class Followers<T> {
  readonly #attachments = new Set<Attachment<T>>();
  readonly #placements: () => Placement<T>[];
  /** The last change that waits or is under way. */
  #last: Promise<void> | undefined;

  /** @param placements the virtual IPs as they are when it is called */
  constructor(placements: () => Placement<T>[]) {
    this.#placements = placements;
  }

  /** Whether a change need not wait for anybody. */
  get areNone(): boolean {
    return this.#attachments.size === 0 && this.#last === undefined;
  }

  async attach(attachment: Attachment<T>): Promise<void> {
    await this.inTurn(async () => {
      const placements = this.#placements();
      const change = await attachment.prepare(placements);
      change.commit();
      this.#attachments.add(attachment);
      // What came and went while it was binding has not reached it.
      const now = this.#placements();
      if (now.length !== placements.length || now.some(({ vip }, index) => vip !== placements[index]?.vip)) {
        this.catchUp();
      }
    });
  }

  /** Resolves when no change is under way that the attachment might have a part in. */
  async detach(attachment: Attachment<T>): Promise<void> {
    this.#attachments.delete(attachment);
    await this.#last;
  }

  /** Runs a change after those before it. */
  inTurn(change: () => Promise<void>): Promise<void> {
    const running = this.#last === undefined ? change() : this.#last.then(change);
    const settled = running
      .catch(() => {
        // Its caller hears of it; those behind go on.
      })
      .then(() => {
        if (this.#last === settled) this.#last = undefined;
      });
    this.#last = settled;
    return running;
  }

  /** All get ready, or none does. */
  async prepare(placements: readonly Placement<T>[]): Promise<PreparedChange> {
    const prepared: PreparedChange[] = [];
    const cancel = (): void => {
      for (const change of prepared) change.cancel();
    };
    try {
      for (const attachment of [...this.#attachments]) prepared.push(await attachment.prepare(placements));
    } catch (error) {
      cancel();
      throw error;
    }
    return {
      commit: () => {
        for (const change of prepared) change.commit();
      },
      cancel,
    };
  }

  /** A change has happened already: each follows as far as it can, and says what it cannot. */
  catchUp(): void {
    for (const attachment of this.#attachments) {
      const failed = (error: unknown): void => attachment.failed(error);
      this.inTurn(async () => {
        if (!this.#attachments.has(attachment)) return;
        (await attachment.prepare(this.#placements(), failed)).commit();
      }).catch(failed);
    }
  }
}
