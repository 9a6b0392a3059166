import type { BuiltInMonitor } from '../../health/monitor-spec.ts';
import type { Probe } from '../../health/probe.ts';
import { httpProbeOf } from './http-probe.ts';
import { httpsProbeOf } from './https-probe.ts';
import { tcpProbe } from './tcp-probe.ts';

/** The probe that a monitor's `type` names. */
export function makeProbe<T>(monitor: BuiltInMonitor): Probe<T> {
  switch (monitor.type) {
    case 'tcp':
      return tcpProbe<T>();
    case 'http':
      return httpProbeOf<T>(monitor);
    case 'https':
      return httpsProbeOf<T>(monitor);
  }
}
