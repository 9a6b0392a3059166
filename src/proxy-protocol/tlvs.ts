import { crc32c } from './crc32c.ts';
import { type ProxyTls, proxyTlsBytes, readProxyTls } from './proxy-tls.ts';
import { textOf, textTlv } from './texts.ts';
import { type Tlv, tlvAt, tlvOverhead } from './tlv.ts';

const alpnType = 0x01;
const authorityType = 0x02;
export const checksumType = 0x03;
const paddingType = 0x04;
const uniqueIdType = 0x05;
const tlsType = 0x20;
const netnsType = 0x30;

/** Section 2.2.5; HAProxy refuses headers with a longer one. */
const longestUniqueId = 128;
/** HAProxy refuses headers with a longer value of any type. */
const longestValue = 1024;

/** What a header of version 2 says beside the addresses (section 2.2). Nobody but the sender vouches for it. */
export interface ProxyTlvs {
  /** The protocol that client and sender agreed upon with TLS, for example `h2`. */
  readonly alpn?: string | undefined;
  /** The host name that the client asked for, in SNI for example. */
  readonly authority?: string | undefined;
  /** 1 to 128 bytes that name the connection. */
  readonly uniqueId?: Uint8Array | undefined;
  /** The client's TLS, which the sender took off. */
  readonly tls?: ProxyTls | undefined;
  /** The network namespace. */
  readonly netns?: string | undefined;
  /** Whether the header has a CRC32c; the one of a header that was read was right. */
  readonly hasChecksum?: boolean | undefined;
  /**
   * What has no field here, in the order it came: types that are unknown here, values that are no text (empty, not UTF-8, with
   * control characters, longer than 255 bytes), and what came a second time.
   */
  readonly others?: readonly Tlv[] | undefined;
}

type Reading = { -readonly [Field in keyof ProxyTlvs]: ProxyTlvs[Field] };

export const noTlvs: ProxyTlvs = {
  alpn: undefined,
  authority: undefined,
  uniqueId: undefined,
  tls: undefined,
  netns: undefined,
  hasChecksum: false,
  others: [],
};

/**
 * Reads the TLVs of a header. Where one comes twice the first counts, as in HAProxy and nginx.
 *
 * @param header all of it, since a checksum covers all of it; values stay views of it
 * @param start where the first TLV is
 * @returns the reason instead, where the header has to be refused
 */
export function readTlvs(header: Uint8Array, start: number): ProxyTlvs | string {
  const others: Tlv[] = [];
  const reading: Reading = { ...noTlvs, others };
  for (let at = start; at < header.length; ) {
    const tlv = tlvAt(header, at);
    if (typeof tlv === 'string') return tlv;
    const taken = tlv.type === checksumType ? check(reading, header, tlv, at) : take(reading, tlv);
    if (typeof taken === 'string') return taken;
    if (!taken) others.push(tlv);
    at += tlvOverhead + tlv.value.length;
  }
  return reading;
}

function check(reading: Reading, header: Uint8Array, { value }: Tlv, at: number): true | string {
  if (reading.hasChecksum) return 'a second checksum';
  if (value.length !== 4) return 'a checksum that has not four bytes';
  const expected = new DataView(value.buffer, value.byteOffset).getUint32(0);
  if (crc32c(header, at + tlvOverhead) !== expected) return 'a wrong checksum';
  reading.hasChecksum = true;
  return true;
}

/** Whether the value has a field of its own, or is nothing. */
function take(reading: Reading, { type, value }: Tlv): boolean | string {
  switch (type) {
    case alpnType:
      return takeText(reading, 'alpn', value);
    case authorityType:
      return takeText(reading, 'authority', value);
    case netnsType:
      return takeText(reading, 'netns', value);
    case paddingType:
      return true;
    case uniqueIdType:
      if (value.length > longestUniqueId) return `a unique id of more than ${longestUniqueId} bytes`;
      if (reading.uniqueId !== undefined || value.length === 0) return false;
      reading.uniqueId = value;
      return true;
    case tlsType: {
      const tls = readProxyTls(value);
      if (typeof tls === 'string') return tls;
      if (reading.tls !== undefined) return false;
      reading.tls = tls;
      return true;
    }
    default:
      return false;
  }
}

function takeText(reading: Reading, field: 'alpn' | 'authority' | 'netns', value: Uint8Array): boolean {
  const text = textOf(value);
  if (text === undefined || reading[field] !== undefined) return false;
  reading[field] = text;
  return true;
}

/**
 * The TLVs to write, but for the checksum. What readers would refuse is left out rather than spoil the header: a unique id of more
 * than 128 bytes, any other value of more than 1,024, text of more than 255 or with control characters, and what goes past `room`.
 */
export function tlvList(tlvs: ProxyTlvs, room: number): Tlv[] {
  const { uniqueId, tls } = tlvs;
  const wanted: readonly (Tlv | undefined)[] = [
    textTlv(alpnType, tlvs.alpn),
    textTlv(authorityType, tlvs.authority),
    uniqueId === undefined || uniqueId.length === 0 ? undefined : { type: uniqueIdType, value: uniqueId },
    tls && { type: tlsType, value: proxyTlsBytes(tls) },
    textTlv(netnsType, tlvs.netns),
    ...(tlvs.others ?? []),
  ];
  const list: Tlv[] = [];
  let left = room;
  for (const tlv of wanted) {
    if (tlv === undefined || tlv.type === checksumType || tlv.value.length > mostBytes(tlv.type)) continue;
    left -= tlvOverhead + tlv.value.length;
    if (left < 0) break;
    list.push(tlv);
  }
  return list;
}

function mostBytes(type: number): number {
  if (type === uniqueIdType) return longestUniqueId;
  return type === authorityType ? 255 : longestValue;
}
