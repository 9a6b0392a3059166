/** Versions of TLS, as Node and OpenSSL name them. */
export const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type TlsVersion = (typeof tlsVersions)[number];

export const clientAuthentications = ['none', 'optional', 'mandatory'] as const;
export type ClientAuthentication = (typeof clientAuthentications)[number];

/** Where something is to be taken from: given with the spec, or in a file. */
export type Source =
  | { readonly text: string; readonly file?: never }
  | { readonly file: string; readonly text?: never };

/** One certificate with its key. */
export type CertificateSource = {
  readonly passphrase: string | undefined;
  /** Undefined where the certificate says for which names it is. */
  readonly serverNames: readonly string[] | undefined;
} & (
  | { readonly cert: Source; readonly key: Source; readonly pfx?: never }
  /** Where given with the spec, one character a byte. */
  | { readonly pfx: Source; readonly cert?: never; readonly key?: never }
);

/** What of the settings is secret, or may be. */
export interface TlsMaterial {
  /** The first is the default. */
  readonly certificates: readonly CertificateSource[];
  readonly ca: Source | undefined;
  readonly crl: Source | undefined;
  /** 48 characters, one a byte. */
  readonly ticketKeys: string | undefined;
}

export interface TlsSettings {
  /** Empty where ALPN is left alone. */
  readonly alpn: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Undefined for those of the runtime. */
  readonly ciphers: string | undefined;
  readonly clientAuthentication: ClientAuthentication;
  /** Milliseconds. */
  readonly sessionTimeout: number;
}

/** How a virtual IP ends its clients' TLS, checked as far as can be done without cryptography. */
export class TlsConfig implements TlsSettings {
  readonly alpn: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly ciphers: string | undefined;
  readonly clientAuthentication: ClientAuthentication;
  readonly sessionTimeout: number;
  /** Out of sight, since somebody may log a virtual IP. */
  readonly #material: TlsMaterial;

  /** @internal */
  constructor(settings: TlsSettings, material: TlsMaterial) {
    this.alpn = settings.alpn;
    this.minVersion = settings.minVersion;
    this.maxVersion = settings.maxVersion;
    this.ciphers = settings.ciphers;
    this.clientAuthentication = settings.clientAuthentication;
    this.sessionTimeout = settings.sessionTimeout;
    this.#material = material;
  }

  /** @internal for the adapter, which makes credentials of it */
  secrets(): TlsMaterial {
    return this.#material;
  }

  /** @internal */
  isSameAs(other: TlsConfig): boolean {
    return JSON.stringify([this, this.#material]) === JSON.stringify([other, other.#material]);
  }
}
