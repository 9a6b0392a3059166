import { isSame } from '../core/spec.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import type { Persistence, PersistenceTable } from './persistence.ts';

/** A kind of persistence that comes with the package. */
export abstract class BuiltInPersistence<T, Settings extends object> implements Persistence<T> {
  readonly name: string;
  readonly needsHttp: boolean;
  /** Flat. Out of sight, since there may be a secret among them, and somebody may log a pool. */
  readonly #settings: Settings;

  constructor(name: string, settings: Settings, needsHttp = false) {
    this.name = name;
    this.needsHttp = needsHttp;
    this.#settings = settings;
  }

  /** A method, since whoever logs a pool may have getters shown. */
  protected settings(): Settings {
    return this.#settings;
  }

  /** Whether the other one does the same: of one name, and agreeing in every setting. */
  isSameAs(other: BuiltInPersistence<T, object>): boolean {
    return this.name === other.name && isSame(this.#settings, other.#settings);
  }

  abstract start(context: StrategyContext, previous?: PersistenceTable<T>): PersistenceTable<T>;
}
