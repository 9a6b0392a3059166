import type { Decode } from './bytes.ts';
import * as field from './field.ts';
import { FieldLines } from './field-lines.ts';
import type { Limits } from './limits.ts';
import { MessageError } from './message-error.ts';

/**
 * A message's head as it was read: its text, where its fields are, and what those say about framing and connection that mean
 * something to any recipient. One object for all messages of a server: good until the next head is read.
 */
export abstract class Head {
  /** From the start line to the blank line; each character one byte. */
  text = '';
  readonly fields: FieldLines;
  /** Of HTTP/1.x, the x. */
  minorVersion: 0 | 1 = 1;
  /** Bytes of body that it announces, -1 where it does not say. */
  contentLength = -1;
  isChunked = false;
  /** What `Connection` says. */
  saysClose = false;
  saysKeepAlive = false;
  saysUpgrade = false;
  /** Where the `Upgrade` field is, -1 where there is none, or several, which leave open what is meant. */
  upgradeAt = -1;
  error: MessageError | undefined;
  readonly limits: Limits;
  readonly decode: Decode;
  #namesFields = false;
  #upgrades = 0;

  constructor(limits: Limits, decode: Decode) {
    this.limits = limits;
    this.fields = new FieldLines(limits.headerCount);
    this.decode = decode;
  }

  /**
   * Reads a head.
   *
   * @returns where the bytes after it start, 0 where it is not complete yet, or -1 with `error` set
   */
  read(bytes: Uint8Array, start: number, stop: number): number {
    const { headSize } = this.limits;
    const last = Math.min(stop, start + headSize);
    this.error = undefined;
    // Of the last one nothing is left, should this one fail.
    this.text = '';
    const fieldsStart = this.readStartLine(bytes, start, last);
    if (fieldsStart < 0) return -1;
    const end = fieldsStart === 0 ? 0 : this.fields.read(bytes, start, fieldsStart, last);
    if (end < 0) {
      this.error = this.fields.error;
      return -1;
    }
    if (end === 0) return stop - start >= headSize ? this.refuse(431, `a head of more than ${headSize} bytes`) : 0;
    this.text = this.decode(bytes, start, end);
    this.startLineRead();
    this.#readFields();
    return this.error === undefined ? end : -1;
  }

  /** As `read`, for the start line; remembers what it says. */
  protected abstract readStartLine(bytes: Uint8Array, start: number, stop: number): number;

  /** There is `text` now, and what it says so far can be told. */
  protected abstract startLineRead(): void;

  /** What only one kind of message has. */
  protected abstract readField(kind: number, index: number): void;

  /** When all fields are read: whether they fit together. */
  protected abstract conclude(): void;

  /** The value of a field. */
  value(index: number): string {
    return this.text.slice(this.fields.valueStart[index], this.fields.valueEnd[index]);
  }

  /** All values of a kind, in one; undefined where there is none. */
  valuesOf(kind: number, separator: string): string | undefined {
    const { kind: kinds, count } = this.fields;
    let values: string | undefined;
    for (let index = 0; index < count; index++) {
      if (kinds[index] !== kind) continue;
      values = values === undefined ? this.value(index) : `${values}${separator}${this.value(index)}`;
    }
    return values;
  }

  /** The value of the first field of a kind. */
  valueOf(kind: number): string | undefined {
    const { kind: kinds, count } = this.fields;
    for (let index = 0; index < count; index++) if (kinds[index] === kind) return this.value(index);
    return undefined;
  }

  protected refuse(status: number, reason: string): -1 {
    this.error ??= new MessageError(status, reason);
    return -1;
  }

  #readFields(): void {
    this.contentLength = -1;
    this.isChunked = false;
    this.saysClose = this.saysKeepAlive = this.saysUpgrade = this.#namesFields = false;
    this.upgradeAt = -1;
    this.#upgrades = 0;
    const { kind, count } = this.fields;
    for (let index = 0; index < count; index++) {
      switch (kind[index]) {
        case field.other:
          break;
        case field.contentLength:
          this.#readContentLength(this.value(index));
          break;
        case field.transferEncoding:
          this.#readTransferEncoding(this.value(index));
          break;
        case field.connection:
          this.#readConnection(this.value(index));
          break;
        case field.upgrade:
          this.upgradeAt = ++this.#upgrades === 1 ? index : -1;
          break;
        default:
          this.readField(kind[index] as number, index);
      }
      if (this.error !== undefined) return;
    }
    if (this.isChunked && this.contentLength >= 0) this.refuse(400, 'both Transfer-Encoding and Content-Length');
    if (this.isChunked && this.minorVersion === 0) this.refuse(400, 'Transfer-Encoding in HTTP/1.0');
    if (this.#namesFields) this.#dropNamed();
    this.conclude();
  }

  /** Digits and nothing else, once: RFC 9112 would allow a list of equal numbers, which not everybody reads alike. */
  #readContentLength(value: string): void {
    if (this.contentLength >= 0) this.refuse(400, 'more than one Content-Length');
    const length = /^(?:0|[1-9]\d{0,15})$/.test(value) ? Number(value) : -1;
    if (length < 0 || !Number.isSafeInteger(length)) this.refuse(400, 'a malformed Content-Length');
    this.contentLength = length;
  }

  /** `chunked`, once: there is no other coding in use, and a list of them is how requests are smuggled. */
  #readTransferEncoding(value: string): void {
    if (this.isChunked) this.refuse(400, 'more than one Transfer-Encoding');
    if (value !== 'chunked' && value.toLowerCase() !== 'chunked')
      this.refuse(400, 'a Transfer-Encoding other than chunked');
    this.isChunked = true;
  }

  #readConnection(value: string): void {
    if (!value.includes(',')) this.#readOption(value);
    else for (const option of value.split(',')) this.#readOption(option.trim());
  }

  #readOption(option: string): void {
    switch (option.toLowerCase()) {
      case 'close':
        this.saysClose = true;
        break;
      case 'keep-alive':
        this.saysKeepAlive = true;
        break;
      case 'upgrade':
        this.saysUpgrade = true;
        break;
      case '':
        break;
      default:
        this.#namesFields = true;
    }
  }

  /**
   * Takes out what `Connection` names, for this hop only (RFC 9110, section 7.6.1), but for what the message itself depends on.
   * Where its other hop-by-hop fields are concerned, they go anyway.
   */
  #dropNamed(): void {
    const { kind, count } = this.fields;
    const named = new Set<string>();
    for (let index = 0; index < count; index++) {
      if (kind[index] !== field.connection) continue;
      for (const option of this.value(index).split(',')) named.add(option.trim().toLowerCase());
    }
    for (let index = 0; index < count; index++) {
      if (!isNameable(kind[index] as number)) continue;
      const name = this.text.slice(this.fields.nameStart[index], this.fields.nameEnd[index]).toLowerCase();
      if (named.has(name)) kind[index] = field.dropped;
    }
  }
}

/** Whether a field means nothing to the message itself. */
function isNameable(kind: number): boolean {
  return kind === field.other || kind === field.accept || kind === field.cookie || kind === field.setCookie;
}
