import type { ClientCertificate } from './client-certificate.ts';

/** What a client and the virtual IP that ends its TLS have agreed upon. */
export interface ClientTls {
  /** For example `TLSv1.3`. */
  readonly version: string;
  /** OpenSSL's name, for example `ECDHE-RSA-AES128-GCM-SHA256` or `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** The name that the client asked for (SNI), lower case. */
  readonly serverName?: string | undefined;
  readonly alpn?: string | undefined;
  /** Whether the session is one of an earlier connection. */
  readonly isResumed: boolean;
  /** Whether the client has shown a certificate, now or in the session that it resumed. */
  readonly hasCertificate: boolean;
  /** Whether that is of an authority that the virtual IP trusts, in force, and not revoked. */
  readonly isVerified: boolean;
  /** The common name in that certificate. */
  readonly commonName?: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
}
