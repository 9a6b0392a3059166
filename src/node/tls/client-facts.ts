import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type ClientCertificate, commonNameOf, oneLineName } from '../../tls/client-certificate.ts';
import type { ClientTls } from '../../tls/client-tls.ts';

/**
 * What the handshake has brought.
 *
 * @param x509 the client's certificate, which is good; undefined where it has shown none
 */
export function clientFacts(socket: TLSSocket, x509: X509Certificate | undefined): ClientTls {
  const certificate = x509 && new Certificate(x509);
  const { alpnProtocol } = socket;
  // Node has `false` where the client asked for no name.
  const { servername } = socket as { readonly servername?: string | false | null };
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher()?.name ?? 'unknown',
    serverName: servername ? servername.toLowerCase() : undefined,
    alpn: alpnProtocol ? alpnProtocol : undefined,
    isResumed: socket.isSessionReused(),
    hasCertificate: certificate !== undefined,
    isVerified: certificate !== undefined,
    commonName: certificate?.commonName || undefined,
    certificate,
  };
}

/** Told only where somebody asks. */
class Certificate implements ClientCertificate {
  readonly #x509: X509Certificate;

  constructor(x509: X509Certificate) {
    this.#x509 = x509;
  }

  get subject(): string {
    return oneLineName(this.#x509.subject ?? '');
  }

  get commonName(): string {
    return commonNameOf(this.#x509.subject ?? '');
  }

  get issuer(): string {
    return oneLineName(this.#x509.issuer ?? '');
  }

  get sha1(): string {
    return this.#x509.fingerprint.replaceAll(':', '');
  }

  get notBefore(): string {
    return timeOf(this.#x509.validFrom);
  }

  get notAfter(): string {
    return timeOf(this.#x509.validTo);
  }
}

/** As HAProxy writes `Jan  2 03:04:05 2026 GMT`: `260102030405Z`; other centuries than this are told. */
function timeOf(text: string): string {
  const digits = new Date(text).toISOString().replace(/\.\d+|[-:T]/g, '');
  return digits.startsWith('20') ? digits.slice(2) : digits;
}

/**
 * Why a client's certificate is not good; undefined where it is. Node lets every certificate pass the handshake and leaves the verdict
 * to its own `tls.Server`, which we have no use for.
 */
export function whyNotVerified(socket: TLSSocket): string | undefined {
  const { ssl } = socket as unknown as {
    readonly ssl?: { verifyError?: () => { readonly code?: string } | null } | null;
  };
  if (typeof ssl?.verifyError !== 'function') return 'it cannot be verified';
  const error = ssl.verifyError();
  return error === null || error === undefined ? undefined : (error.code ?? 'unknown');
}
