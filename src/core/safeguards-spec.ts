import { type OutlierDetection, type OutlierDetectionSpec, readOutlierDetection } from '../safeguards/outlier-spec.ts';
import { type PanicSpec, readPanic } from './panic-spec.ts';
import type { PanicSettings } from './priority-load.ts';
import { type Fields, integer, theFunction } from './spec.ts';
import { type Classifier, classifyByDefault } from './verdict.ts';

/** What a pool does about members that fail and about too much load. All of it is off unless named; `null` switches it off. */
export interface SafeguardsSpec {
  /**
   * Percent of its share that a healthy member is taken to be able to carry, an integer from 100 to 10000: with 140 a level of
   * priority keeps all its clients until fewer than 100 of 140 of its members are healthy. Default 140 (Envoy's).
   */
  readonly overprovisioningFactor?: number | null;
  /** What happens when too few members are healthy. Default: nothing. */
  readonly panic?: PanicSpec | null;
  /** Takes members out whose clients fare badly. Default: none. */
  readonly outlierDetection?: OutlierDetectionSpec | null;
  /** What counts as a failure of a member. Default: no proper answer, or one of 500 and above. */
  readonly classify?: Classifier | null;
}

/** Checked. */
export interface Safeguards {
  readonly overprovisioningFactor: number;
  readonly panic: PanicSettings | undefined;
  readonly outlierDetection: OutlierDetection | undefined;
  readonly classify: Classifier;
}

export const safeguardNames = ['overprovisioningFactor', 'panic', 'outlierDetection', 'classify'] as const;

export const noSafeguards: Safeguards = {
  overprovisioningFactor: 140,
  panic: undefined,
  outlierDetection: undefined,
  classify: classifyByDefault,
};

/** What `fields` leave of the current ones. */
export function readSafeguards(fields: Fields<(typeof safeguardNames)[number]>, current: Safeguards): Safeguards {
  const { overprovisioningFactor, panic, outlierDetection, classify } = current;
  return {
    overprovisioningFactor: fields.change('overprovisioningFactor', integer(100, 10_000), 140, overprovisioningFactor),
    panic: fields.change<PanicSettings | undefined>('panic', readPanic, undefined, panic),
    outlierDetection: fields.change<OutlierDetection | undefined>(
      'outlierDetection',
      readOutlierDetection,
      undefined,
      outlierDetection,
    ),
    classify: fields.change('classify', theFunction<Classifier>('(end, outcome)'), classifyByDefault, classify),
  };
}
