import { Fields } from '../../core/spec.ts';
import type { Probe } from '../../health/probe.ts';
import { readTlsCheck, type TlsCheck, type TlsCheckSpec, tlsCheckFields } from '../../health/tls-check.ts';
import { leave } from './leave.ts';
import { tlsVisit } from './tls-visit.ts';

/**
 * Passes where a TLS handshake succeeds, a real one with what Node speaks; nothing is sent. The certificate is not verified, unless
 * the options say so. A member of TLS 1.3 that wants a client certificate objects only after the handshake, which counts as passed.
 *
 * Throws `SpecError` where an option is bad.
 */
export function tlsHelloProbe<T = unknown>(options: TlsCheckSpec = {}): Probe<T> {
  return tlsHelloProbeOf(readTlsCheck(new Fields(options, '', tlsCheckFields)), '');
}

/** As `tlsHelloProbe()`, for options that are checked already. */
export function tlsHelloProbeOf<T>(check: TlsCheck, path: string): Probe<T> {
  const visit = tlsVisit(check, undefined, path);
  return {
    name: 'tls-hello',
    check: (target) => {
      return visit(target, (stream, verdict) => {
        verdict();
        leave(stream);
      });
    },
  };
}
