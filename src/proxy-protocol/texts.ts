import type { Tlv } from './tlv.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** HAProxy refuses headers with a longer authority. */
const longestText = 255;

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const hasControlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * The bytes as text; undefined where there are none or more than 255, where they are not UTF-8, or where they hold what could forge
 * a log line or end a string early for another reader (HAProxy does the same with a NUL).
 */
export function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.length > longestText) return undefined;
  try {
    const text = decoder.decode(bytes);
    return hasControlCharacter.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A TLV that `textOf` reads back; undefined where the text is none of these. */
export function textTlv(type: number, text: string | undefined): Tlv | undefined {
  if (text === undefined || text === '' || hasControlCharacter.test(text)) return undefined;
  const value = encoder.encode(text);
  return value.length > longestText ? undefined : { type, value };
}
