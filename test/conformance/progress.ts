/** Something that should have happened did not, and nothing tells whether it ever will. */
export class Hung extends Error {
  constructor(what: string) {
    super(`hung: ${what}`);
    this.name = 'Hung';
  }
}

/**
 * Lets a row wait for what happens on any connection of its stage. Whoever waits looks again at each event, never because time has
 * passed; `patience` bounds the wait for what never happens.
 */
export class Progress {
  /** Milliseconds. */
  readonly patience: number;
  readonly #waiting = new Set<() => void>();

  constructor(patience: number) {
    this.patience = patience;
  }

  /** Something has happened. */
  happens(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Whether it comes true at all. */
  eventually(isSo: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (isLastLook = false): void => {
        try {
          const isTrue = isSo();
          if (!isTrue && !isLastLook) return;
          stop();
          resolve(isTrue);
        } catch (error) {
          stop();
          reject(error);
        }
      };
      const timer = setTimeout(() => look(true), this.patience);
      this.#waiting.add(look);
      look();
    });
  }

  /** Waits until it comes true; throws `Hung` where it does not. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    if (!(await this.eventually(isSo))) throw new Hung(what);
  }
}
