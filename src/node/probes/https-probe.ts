import { isIP } from 'node:net';
import { connect, createSecureContext } from 'node:tls';
import { isUnix } from '../../core/address.ts';
import { Fields } from '../../core/spec.ts';
import { type HttpCheck, type HttpCheckSpec, httpCheckFields, readHttpCheck } from '../../health/http-check.ts';
import type { Probe } from '../../health/probe.ts';
import { HttpQuestion } from './http-question.ts';
import { visit } from './visit.ts';

/**
 * As `httpProbe()`, over TLS. The certificate is not verified: a check asks whether the member answers, not who it is.
 *
 * Throws `SpecError` where an option is bad.
 */
export function httpsProbe<T = unknown>(options: HttpCheckSpec = {}): Probe<T> {
  return httpsProbeOf(readHttpCheck(new Fields(options, '', httpCheckFields)));
}

/** As `httpsProbe()`, for options that are checked already. */
export function httpsProbeOf<T>(check: HttpCheck): Probe<T> {
  const question = new HttpQuestion(check);
  // One for all checks; Node would make a new one for each.
  const secureContext = createSecureContext();
  return {
    name: 'https',
    check: (target) => {
      const { address, port } = target;
      return visit(target, (socket, verdict) => {
        // Octavia's rule (HAProxy's `check-ssl verify none`): members have certificates of their own making or for the name that
        // clients know, not for the address that is checked, and nothing secret is said to them here.
        const rejectUnauthorized = false;
        const servername = serverNameOf(check.domainName ?? address);
        const stream = connect({ socket, secureContext, rejectUnauthorized, servername });
        stream.on('secureConnect', () => question.ask(stream, address, port, verdict));
        stream.on('error', (error) => verdict(plain(error)));
      });
    },
  };
}

/** The name to ask for in the handshake: no address and no final dot (RFC 6066, section 3). An empty one is not sent. */
function serverNameOf(host: string): string {
  return isUnix(host) || isIP(host) !== 0 ? '' : host.replace(/\.$/, '');
}

/** OpenSSL's messages are a page of its insides; what happened is in their `reason`. */
function plain(error: Error & { readonly reason?: unknown }): Error {
  return typeof error.reason === 'string' ? new Error(`TLS: ${error.reason}`, { cause: error }) : error;
}
