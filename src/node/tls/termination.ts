import { randomBytes } from 'node:crypto';
import { EvenkeelError } from '../../core/errors.ts';
import type { VipSettingsConfig } from '../../core/vip-spec.ts';
import type { SettingsFollower, VirtualIP } from '../../core/virtual-ip.ts';
import type { TlsConfig } from '../../tls/tls-config.ts';
import { type CertificateFacts, type Credentials, makeCredentials } from './credentials.ts';
import { FileWatch } from './file-watch.ts';

/**
 * The credentials that a virtual IP ends its clients' TLS with. They follow its settings, which cannot change to what no credentials
 * can be made of, and the files that those name. Connections keep what they began with.
 */
export class Termination<T> implements SettingsFollower, Disposable {
  readonly #vip: VirtualIP<T>;
  readonly #troubled: (error: EvenkeelError) => void;
  readonly #following: Disposable;
  /** Sessions are sealed with the same keys for as long as this lives, so that they outlive changes. */
  readonly #ticketKeys = randomBytes(48);
  /** Made for settings that may come into force. */
  readonly #prepared = new WeakMap<TlsConfig, Credentials>();
  #config: TlsConfig | undefined;
  #credentials: Credentials | undefined;
  #watch: FileWatch | undefined;
  #isOver = false;

  /**
   * @param troubled told of files that have changed for the worse, and of certificates that are out of date
   * @throws SpecError where no credentials can be made of the settings
   */
  constructor(vip: VirtualIP<T>, troubled: (error: EvenkeelError) => void) {
    this.#vip = vip;
    this.#troubled = troubled;
    if (vip.tls !== undefined) this.#take(vip.tls, makeCredentials(vip.tls, this.#ticketKeys));
    this.#following = vip.follow(this);
  }

  /** Undefined where the virtual IP does not end TLS. */
  get credentials(): Credentials | undefined {
    return this.#credentials;
  }

  prepare({ tls }: VipSettingsConfig): void {
    if (tls === undefined || tls === this.#config) return;
    this.#prepared.set(tls, makeCredentials(tls, this.#ticketKeys));
  }

  changed(): void {
    const { tls } = this.#vip;
    if (tls === this.#config) return;
    if (tls === undefined) this.#drop();
    else this.#take(tls, this.#prepared.get(tls) ?? makeCredentials(tls, this.#ticketKeys));
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#following[Symbol.dispose]();
    this.#watch?.[Symbol.dispose]();
  }

  #take(config: TlsConfig, credentials: Credentials): void {
    this.#drop();
    this.#config = config;
    if (credentials.files.size > 0) this.#watch = new FileWatch(credentials.files, this.#reload);
    this.#use(credentials);
  }

  #drop(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
    this.#config = undefined;
    this.#credentials = undefined;
  }

  readonly #reload = (): void => {
    if (this.#config === undefined) return;
    try {
      const credentials = makeCredentials(this.#config, this.#ticketKeys);
      if (credentials.digest !== this.#credentials?.digest) this.#use(credentials);
    } catch (cause) {
      const message = `the files of virtual IP '${this.#vip.name}' have changed and cannot be used, so what they had before is: `;
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#troubled(new EvenkeelError('ERR_EVENKEEL_CERTIFICATE', message + why, { cause }));
    }
  };

  #use(credentials: Credentials): void {
    this.#credentials = credentials;
    const dated = credentials.certificates.filter(isOutOfDate);
    if (dated.length === 0) return;
    // When whoever began to listen has had the time to listen to events.
    setImmediate(() => {
      if (this.#isOver) return;
      for (const each of dated) this.#troubled(new EvenkeelError('ERR_EVENKEEL_CERTIFICATE', tellDated(each)));
    });
  }
}

function isOutOfDate({ validFrom, validTo }: CertificateFacts): boolean {
  const now = Date.now();
  return now < validFrom.getTime() || now > validTo.getTime();
}

function tellDated({ serverNames, subject, validFrom, validTo }: CertificateFacts): string {
  const whose = serverNames.length > 0 ? serverNames.join(', ') : subject.replaceAll('\n', ', ');
  const when =
    Date.now() < validFrom.getTime() ? `not yet: from ${validFrom.toISOString()} on` : `until ${validTo.toISOString()}`;
  return `a certificate is out of date, and served all the same: ${whose} (good ${when})`;
}
