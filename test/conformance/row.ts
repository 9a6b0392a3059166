import type { Stage } from './stage.ts';

/** What only some proxies offer, and a row may need. */
export type Feature = 'upgrades' | 'insertion';

/** One thing that a proxy must do, on connections whose every byte is known. */
export interface Row {
  /** Stable, lower case with hyphens; unique among all rows. */
  readonly id: string;
  /** What holds where the row passes, as a sentence. */
  readonly title: string;
  readonly needs?: Feature;
  /** Resolves where it holds. Rejects with a `Failure` where it does not, with `Hung` where the proxy does nothing at all. */
  readonly run: (stage: Stage) => Promise<void>;
}

/** Rows with one theme. */
export interface Group {
  readonly title: string;
  /** What a pass means, where the titles of the rows do not say it. */
  readonly note?: string;
  readonly rows: readonly Row[];
}
