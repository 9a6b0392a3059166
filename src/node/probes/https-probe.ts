import { Fields } from '../../core/spec.ts';
import { type HttpCheck, type HttpCheckSpec, httpCheckFields, readHttpCheck } from '../../health/http-check.ts';
import type { Probe } from '../../health/probe.ts';
import { readTlsCheck, type TlsCheck, type TlsCheckSpec, tlsCheckFields } from '../../health/tls-check.ts';
import { HttpQuestion } from './http-question.ts';
import { tlsVisit } from './tls-visit.ts';

/**
 * As `httpProbe()`, over TLS. The certificate is not verified, unless the options say so: a check asks whether the member answers,
 * not who it is.
 *
 * Throws `SpecError` where an option is bad.
 */
export function httpsProbe<T = unknown>(options: HttpCheckSpec & TlsCheckSpec = {}): Probe<T> {
  const fields = new Fields(options, '', [...httpCheckFields, ...tlsCheckFields]);
  return httpsProbeOf({ ...readHttpCheck(fields), ...readTlsCheck(fields) }, '');
}

/** As `httpsProbe()`, for options that are checked already. */
export function httpsProbeOf<T>(check: HttpCheck & TlsCheck, path: string): Probe<T> {
  const question = new HttpQuestion(check);
  const visit = tlsVisit(check, check.domainName, path);
  return {
    name: 'https',
    check: (target) => visit(target, (stream, verdict) => question.ask(stream, target.address, target.port, verdict)),
  };
}
