/** A type, a length and a value, as they came. */
export interface Tlv {
  /** 0 to 255; 0xE0 to 0xEF are free for applications. */
  readonly type: number;
  readonly value: Uint8Array;
}

/** Bytes before each value: its type and its length. */
export const tlvOverhead = 3;

/** The TLV at a place; the reason instead, where the bytes end before it does. Its value is a view. */
export function tlvAt(bytes: Uint8Array, at: number): Tlv | string {
  const start = at + tlvOverhead;
  if (start > bytes.length) return 'bytes behind the last TLV';
  const end = start + (((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number));
  if (end > bytes.length) return 'a TLV that is longer than what holds it';
  return { type: bytes[at] as number, value: bytes.subarray(start, end) };
}

/** Whether the bytes from `start` on are TLVs and nothing else. */
export function isTlvs(bytes: Uint8Array, start: number): boolean {
  let at = start;
  while (at < bytes.length) {
    const tlv = tlvAt(bytes, at);
    if (typeof tlv === 'string') return false;
    at += tlvOverhead + tlv.value.length;
  }
  return true;
}

/** How many bytes the TLVs take. */
export function sizeOf(tlvs: readonly Tlv[]): number {
  return tlvs.reduce((size, { value }) => size + tlvOverhead + value.length, 0);
}

/** Puts TLVs one behind the other, and gives back where they end. */
export function putTlvs(tlvs: readonly Tlv[], bytes: Uint8Array, at: number): number {
  let next = at;
  for (const { type, value } of tlvs) {
    bytes[next] = type;
    bytes[next + 1] = value.length >>> 8;
    bytes[next + 2] = value.length & 0xff;
    bytes.set(value, next + tlvOverhead);
    next += tlvOverhead + value.length;
  }
  return next;
}
