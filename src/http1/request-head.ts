import { colon, cr, isHost, lf, nine, slash, space, targetByte, tokenByte, zero } from './bytes.ts';
import * as field from './field.ts';
import { Head } from './head.ts';

/** The longest method that is registered has 17 characters. */
const longestMethod = 32;

/** Methods that may be sent again when nobody knows whether the first one was carried out: RFC 9110, section 9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** The head of a request, checked as RFC 9112, section 3, says. */
export class RequestHead extends Head {
  /** Empty where it could not be read so far, as the target is then. */
  method = '';
  /** As it goes on: in origin form, or `*`. */
  target = '';
  /** Whether `text` has the target as it goes on. */
  isTargetAsSent = true;
  /** The host that the target names instead of a `Host` that is not there; empty where neither is. */
  authority = '';
  isHead = false;
  isIdempotent = false;
  /** It waits for an interim answer before it sends its body, which it has. */
  expectsContinue = false;
  /** It takes trailers with its answer. Other transfer codings are not offered to members: we could not read them. */
  takesTrailers = false;
  /** It asks to speak another protocol, and may. */
  asksForUpgrade = false;
  #methodEnd = 0;
  #targetEnd = 0;
  #hosts = 0;
  #hostAt = -1;

  /** RFC 9112, section 2.2: an empty line before a request is ignored; some clients send one behind a body. */
  override read(bytes: Uint8Array, start: number, stop: number): number {
    if (bytes[start] !== cr) return super.read(bytes, start, stop);
    if (stop - start < 2) return 0;
    this.error = undefined;
    return bytes[start + 1] === lf ? super.read(bytes, start + 2, stop) : this.refuse(400, 'a CR without its LF');
  }

  get hasHost(): boolean {
    return this.#hosts > 0;
  }

  protected override readStartLine(bytes: Uint8Array, start: number, stop: number): number {
    const { targetSize } = this.limits;
    const isToken = tokenByte;
    const isTarget = targetByte;
    this.method = this.target = '';
    let at = start;
    while (at < stop && isToken[bytes[at] as number] === 1) at++;
    if (at - start > longestMethod) return this.refuse(400, 'a method that is too long');
    if (at >= stop) return 0;
    if (at === start || bytes[at] !== space) return this.refuse(400, 'a request line without a method');
    this.#methodEnd = at - start;
    const targetStart = ++at;
    while (at < stop && isTarget[bytes[at] as number] === 1) at++;
    if (at - targetStart > targetSize) return this.refuse(414, `a target of more than ${targetSize} bytes`);
    if (at >= stop) return 0;
    if (at === targetStart || bytes[at] !== space)
      return this.refuse(400, 'a request line without a target and a version');
    this.#targetEnd = at - start;
    return this.#readVersion(bytes, at + 1, stop);
  }

  #readVersion(bytes: Uint8Array, start: number, stop: number): number {
    let at = start;
    for (const code of version) {
      if (at >= stop) return 0;
      if (bytes[at++] !== code) return this.refuse(400, 'a request line that does not end in a version');
    }
    if (at + 4 >= stop) return 0;
    const major = bytes[at] as number;
    const minor = bytes[at + 2] as number;
    if (!isDigit(major) || bytes[at + 1] !== dot || !isDigit(minor)) return this.refuse(400, 'a malformed version');
    if (bytes[at + 3] !== cr || bytes[at + 4] !== lf)
      return this.refuse(400, 'a request line that does not end in CR and LF');
    if (major !== one || minor > one) return this.refuse(505, 'a version other than HTTP/1.0 and HTTP/1.1');
    this.minorVersion = minor === one ? 1 : 0;
    this.#hosts = 0;
    this.expectsContinue = this.takesTrailers = false;
    return at + 5;
  }

  protected override startLineRead(): void {
    const { text } = this;
    this.method = text.slice(0, this.#methodEnd);
    this.target = text.slice(this.#methodEnd + 1, this.#targetEnd);
    this.isHead = this.method === 'HEAD';
    this.isIdempotent = idempotent.has(this.method);
    if (this.method === 'CONNECT') this.refuse(405, 'CONNECT');
  }

  protected override readField(kind: number, index: number): void {
    if (kind === field.host) {
      this.#hosts++;
      this.#hostAt = index;
    } else if (kind === field.expect) {
      if (this.value(index).toLowerCase() !== '100-continue')
        this.refuse(417, 'an expectation other than 100-continue');
      // RFC 9110, section 10.1.1: in HTTP/1.0 it is ignored.
      this.expectsContinue = this.minorVersion === 1;
    } else if (kind === field.te) {
      this.takesTrailers = this.value(index) === 'trailers';
    }
  }

  protected override conclude(): void {
    if (this.#hosts > 1) this.refuse(400, 'more than one Host');
    if (this.#hosts === 0 && this.minorVersion === 1) this.refuse(400, 'no Host');
    if (this.#hosts === 1 && !isHost(this.value(this.#hostAt))) this.refuse(400, 'a malformed Host');
    this.#readTarget(this.target);
    this.#readUpgrade();
    // RFC 9110, section 10.1.1: without a body it means nothing, though a member might answer it.
    if (!this.isChunked && this.contentLength <= 0) this.expectsContinue = false;
  }

  #readTarget(target: string): void {
    this.isTargetAsSent = true;
    this.authority = '';
    if (target.charCodeAt(0) === slash) return;
    if (target === '*' && this.method === 'OPTIONS') return;
    const absolute = /^(https?):\/\/([^/?]*)(.*)$/i.exec(target);
    if (absolute === null) {
      this.refuse(400, 'a malformed target');
      return;
    }
    // RFC 9112, section 3.2.2 lets the target win over Host. Not every recipient does, so they must agree.
    const [, scheme = '', authority = '', rest = ''] = absolute;
    if (!isHost(authority) || authority === '' || authority.charCodeAt(0) === colon)
      this.refuse(400, 'a malformed target');
    if (this.#hosts === 0) this.authority = authority;
    else if (withoutPort(authority, scheme) !== withoutPort(this.value(this.#hostAt), scheme)) {
      this.refuse(400, 'a target that does not agree with Host');
    }
    this.isTargetAsSent = false;
    if (rest === '') this.target = this.method === 'OPTIONS' ? '*' : '/';
    else this.target = rest.charCodeAt(0) === slash ? rest : `/${rest}`;
  }

  #readUpgrade(): void {
    this.asksForUpgrade = false;
    if (!this.saysUpgrade || this.upgradeAt < 0 || this.minorVersion === 0) return;
    const protocols = this.value(this.upgradeAt).toLowerCase();
    // See `field.ts`: http2-settings. Java's client asks for it with every request, those with a body too.
    if (protocols === '' || protocols.includes('h2c')) return;
    this.asksForUpgrade = true;
    // Whose are the bytes behind the head, the body or the new protocol?
    if (this.isChunked || this.contentLength > 0) this.refuse(400, 'an upgrade with a body');
  }
}

const version = Uint8Array.from('HTTP/', (character) => character.charCodeAt(0));
const dot = 0x2e;
const one = 0x31;

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}

/** Comparable: without the port that the scheme implies. */
function withoutPort(authority: string, scheme: string): string {
  return authority.toLowerCase().replace(scheme.length === 'https'.length ? /:(?:443)?$/ : /:(?:80)?$/, '');
}
