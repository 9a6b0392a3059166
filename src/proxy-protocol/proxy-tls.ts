import { textOf, textTlv } from './texts.ts';
import { putTlvs, sizeOf, type Tlv, tlvAt, tlvOverhead } from './tlv.ts';

const overTls = 0x01;
const certificateOnConnection = 0x02;
const certificateInSession = 0x04;

const versionType = 0x21;
const commonNameType = 0x22;
const cipherType = 0x23;
const signatureAlgorithmType = 0x24;
const keyAlgorithmType = 0x25;

/** What a sender that took the client's TLS off says about it (section 2.2.6). */
export interface ProxyTls {
  /** Whether the client spoke TLS at all. */
  readonly isOverTls: boolean;
  /** Whether the client gave a certificate on this connection. */
  readonly hasCertificate: boolean;
  /** Whether the client gave a certificate in this TLS session, now or on an earlier connection. */
  readonly hasSessionCertificate: boolean;
  /** 0, or what OpenSSL says is wrong with the certificate. Says nothing without one: see `hasVerifiedCertificate`. */
  readonly verifyResult: number;
  /** For example `TLSv1.3`. */
  readonly version?: string | undefined;
  /** The common name of the client's certificate. */
  readonly commonName?: string | undefined;
  readonly cipher?: string | undefined;
  /** How the certificate of the sender is signed, for example `RSA-SHA256`. */
  readonly signatureAlgorithm?: string | undefined;
  /** The key of the certificate of the sender, for example `RSA2048`. */
  readonly keyAlgorithm?: string | undefined;
}

/**
 * Whether the client has shown a certificate that the sender trusts. HAProxy sends a `verifyResult` of 0 for clients without any,
 * against the letter of section 2.2.6, so that 0 alone proves nothing.
 */
export function hasVerifiedCertificate(tls: ProxyTls): boolean {
  return tls.isOverTls && (tls.hasCertificate || tls.hasSessionCertificate) && tls.verifyResult === 0;
}

/** Reads the value of a TLS TLV; the reason instead, where it is malformed. What is unknown inside is skipped. */
export function readProxyTls(value: Uint8Array): ProxyTls | string {
  if (value.length < 5) return 'a TLS TLV of less than five bytes';
  const texts = new Map<number, string>();
  for (let at = 5; at < value.length; ) {
    const tlv = tlvAt(value, at);
    if (typeof tlv === 'string') return tlv;
    const text = textOf(tlv.value);
    if (text !== undefined && !texts.has(tlv.type)) texts.set(tlv.type, text);
    at += tlvOverhead + tlv.value.length;
  }
  const client = value[0] as number;
  return {
    isOverTls: (client & overTls) !== 0,
    hasCertificate: (client & certificateOnConnection) !== 0,
    hasSessionCertificate: (client & certificateInSession) !== 0,
    verifyResult: new DataView(value.buffer, value.byteOffset).getUint32(1),
    version: texts.get(versionType),
    commonName: texts.get(commonNameType),
    cipher: texts.get(cipherType),
    signatureAlgorithm: texts.get(signatureAlgorithmType),
    keyAlgorithm: texts.get(keyAlgorithmType),
  };
}

/** The value of a TLS TLV. */
export function proxyTlsBytes(tls: ProxyTls): Uint8Array {
  const texts: readonly (Tlv | undefined)[] = [
    textTlv(versionType, tls.version),
    textTlv(commonNameType, tls.commonName),
    textTlv(cipherType, tls.cipher),
    textTlv(signatureAlgorithmType, tls.signatureAlgorithm),
    textTlv(keyAlgorithmType, tls.keyAlgorithm),
  ];
  const given = texts.filter((tlv) => tlv !== undefined);
  const bytes = new Uint8Array(5 + sizeOf(given));
  bytes[0] =
    (tls.isOverTls ? overTls : 0) |
    (tls.hasCertificate ? certificateOnConnection : 0) |
    (tls.hasSessionCertificate ? certificateInSession : 0);
  new DataView(bytes.buffer).setUint32(1, tls.verifyResult);
  putTlvs(given, bytes, 5);
  return bytes;
}
