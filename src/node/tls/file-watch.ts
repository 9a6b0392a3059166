import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setBackgroundTimeout, systemClock, type Timer } from '../../core/clock.ts';

/** Milliseconds: how often files are looked at where the system does not tell (some network file systems). */
const lookInterval = 5000;

/** Milliseconds from a sign of a change until the files are looked at: several that belong together change one after the other. */
const settling = 100;

/**
 * Notices that files have changed, whether they are written to, replaced, or reached by symbolic links that now lead elsewhere (as
 * Kubernetes does): their folders are watched, and they are looked at now and then besides. Does not keep the process alive.
 */
export class FileWatch implements Disposable {
  readonly #files: readonly string[];
  readonly #changed: () => void;
  readonly #interval: number;
  readonly #watchers: FSWatcher[] = [];
  #seen: string | undefined;
  #timer: Timer;
  #soon: Timer;
  #isOver = false;

  /**
   * @param changed called once, soon, whatever has happened, since they may have changed before this; then after every change
   * @param interval milliseconds
   */
  constructor(files: Iterable<string>, changed: () => void, interval: number = lookInterval) {
    this.#files = [...files];
    this.#changed = changed;
    this.#interval = interval;
    for (const folder of new Set(this.#files.map((file) => dirname(file)))) this.#follow(folder);
    this.#lookSoon();
    this.#lookLater();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    systemClock.clearTimeout(this.#timer);
    systemClock.clearTimeout(this.#soon);
    for (const watcher of this.#watchers) watcher.close();
  }

  #follow(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      // The folder has gone, say; looking now and then remains.
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // The system cannot, or has no watch left.
    }
  }

  #lookSoon(): void {
    if (this.#isOver) return;
    this.#soon ??= setBackgroundTimeout(
      systemClock,
      () => {
        this.#soon = undefined;
        void this.#look();
      },
      settling,
    );
  }

  #lookLater(): void {
    if (this.#isOver) return;
    this.#timer = setBackgroundTimeout(
      systemClock,
      () => void this.#look().then(() => this.#lookLater()),
      this.#interval,
    );
  }

  async #look(): Promise<void> {
    const found = (await Promise.all(this.#files.map(mark))).join();
    if (this.#isOver || found === this.#seen) return;
    this.#seen = found;
    this.#changed();
  }
}

/** What is different when a file is. */
async function mark(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}
