import { Fields } from '../../core/spec.ts';
import { type HttpCheck, type HttpCheckSpec, httpCheckFields, readHttpCheck } from '../../health/http-check.ts';
import type { Probe } from '../../health/probe.ts';
import { HttpQuestion } from './http-question.ts';
import { visit } from './visit.ts';

/**
 * Passes where a request is answered with an expected status: `GET /` with 200, unless the options, those of a monitor of type
 * `'http'`, say otherwise. Nothing but the status is looked at, and no redirect followed.
 *
 * Throws `SpecError` where an option is bad.
 */
export function httpProbe<T = unknown>(options: HttpCheckSpec = {}): Probe<T> {
  return httpProbeOf(readHttpCheck(new Fields(options, '', httpCheckFields)));
}

/** As `httpProbe()`, for options that are checked already. */
export function httpProbeOf<T>(check: HttpCheck): Probe<T> {
  const question = new HttpQuestion(check);
  return {
    name: 'http',
    check: (target) => {
      return visit(target, (socket, verdict) => question.ask(socket, target.address, target.port, verdict));
    },
  };
}
