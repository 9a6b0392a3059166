import type { ProbeType } from '../../health/monitor-spec.ts';
import type { Probe } from '../../health/probe.ts';
import { tcpProbe } from './tcp-probe.ts';

/** The probe that a monitor's `type` names. */
export function makeProbe<T>(type: ProbeType): Probe<T> {
  switch (type) {
    case 'tcp':
      return tcpProbe<T>();
  }
}
