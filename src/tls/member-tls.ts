import type { TlsVersion } from './tls-config.ts';

/** What of the settings is secret, or may be: PEM, one character a byte. */
export interface MemberTlsMaterial {
  readonly ca: string | undefined;
  readonly crl: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly passphrase: string | undefined;
}

export interface MemberTlsSettings {
  readonly verify: boolean;
  /** Undefined for the member's own name. */
  readonly serverName: string | undefined;
  readonly passServerName: boolean;
  /** Empty where ALPN is left alone. */
  readonly alpn: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Undefined for those of the runtime. */
  readonly ciphers: string | undefined;
  readonly resume: boolean;
}

/** How connections to members speak TLS, checked as far as can be done without cryptography. */
export class MemberTls implements MemberTlsSettings {
  readonly verify: boolean;
  readonly serverName: string | undefined;
  readonly passServerName: boolean;
  readonly alpn: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly ciphers: string | undefined;
  readonly resume: boolean;
  /** Out of sight, since somebody may log a pool. */
  readonly #material: MemberTlsMaterial;

  /** @internal */
  constructor(settings: MemberTlsSettings, material: MemberTlsMaterial) {
    this.verify = settings.verify;
    this.serverName = settings.serverName;
    this.passServerName = settings.passServerName;
    this.alpn = settings.alpn;
    this.minVersion = settings.minVersion;
    this.maxVersion = settings.maxVersion;
    this.ciphers = settings.ciphers;
    this.resume = settings.resume;
    this.#material = material;
  }

  /** @internal for the adapter, which makes a secure context of it */
  secrets(): MemberTlsMaterial {
    return this.#material;
  }

  /** @internal */
  isSameAs(other: MemberTls): boolean {
    return JSON.stringify([this, this.#material]) === JSON.stringify([other, other.#material]);
  }
}
