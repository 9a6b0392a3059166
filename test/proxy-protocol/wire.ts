/** What the tests of the PROXY protocol share: bytes by hand, and readers fed in pieces. No Node. */
import { type ProxyHeaderProgress, ProxyHeaderReader } from '../../src/proxy-protocol/proxy-header-reader.ts';

export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Text of which each character is a byte. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function pieces(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((one, other) => one - other);
  return ends.map((end, index) => bytes.slice(index === 0 ? 0 : ends[index - 1], end));
}

const signature = '0d0a0d0a 000d0a51 5549540a';

/** A header of version 2: command and family, the block's length as it is, and the block. */
export function version2(commandAndFamily: string, ...block: readonly (string | Uint8Array)[]): Uint8Array {
  const body = concat(...block.map((part) => (typeof part === 'string' ? hex(part) : part)));
  return concat(hex(signature), hex(commandAndFamily), Uint8Array.of(body.length >> 8, body.length & 255), body);
}

/** A TLV as text, its length as it is. */
export function tlv(type: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? ascii(value) : value;
  return concat(Uint8Array.of(type, bytes.length >> 8, bytes.length & 255), bytes);
}

/** What a reader comes to that gets the pieces one after the other, and how many bytes of them it left. */
export function readPieces(
  chunks: readonly Uint8Array[],
  options?: { readonly maximumBlock?: number },
): { readonly progress: ProxyHeaderProgress; readonly left: number } {
  const reader = new ProxyHeaderReader(options);
  let progress: ProxyHeaderProgress = { state: 'more' };
  for (const [index, chunk] of chunks.entries()) {
    progress = reader.push(chunk);
    // A socket's buffer is filled again as soon as it has been read.
    if (progress.state === 'more') chunk.fill(0xee);
    if (progress.state === 'done') {
      const later = chunks.slice(index + 1).reduce((size, { length }) => size + length, 0);
      return { progress, left: progress.rest.length + later };
    }
  }
  return { progress, left: 0 };
}

/** Reads what is there in one piece. */
export function read(bytes: Uint8Array, options?: { readonly maximumBlock?: number }): ProxyHeaderProgress {
  return new ProxyHeaderReader(options).push(bytes);
}

/** The header alone; fails where there is none. */
export function headerIn(bytes: Uint8Array): Extract<ProxyHeaderProgress, { state: 'done' }>['header'] {
  const progress = read(bytes);
  if (progress.state !== 'done') throw new Error(progress.state === 'failed' ? progress.reason : 'more is needed');
  return progress.header;
}
