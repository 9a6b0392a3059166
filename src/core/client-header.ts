import { type ProxyHeader, relayedHeader, unspecifiedHeader } from '../proxy-protocol/proxy-header.ts';
import type { ProxyTls } from '../proxy-protocol/proxy-tls.ts';
import { bytesOf } from '../proxy-protocol/texts.ts';
import type { ProxyTlvs } from '../proxy-protocol/tlvs.ts';
import type { ClientTls } from '../tls/client-tls.ts';
import type { SendProxyProtocol } from './send-proxy-protocol.ts';
import type { Client } from './session.ts';

/**
 * What members are told of a client. One without an address, who came by a Unix socket, is told of by a header without addresses,
 * since HAProxy closes connections that begin with any other of such a client.
 *
 * @param uniqueId makes one for a client that has none yet
 */
export function clientHeader(client: Client, settings: SendProxyProtocol, uniqueId: () => string): ProxyHeader {
  const tlvs = tlvsOf(client, settings, uniqueId);
  const { address, port, localAddress, localPort } = client;
  if (address === undefined || localAddress === undefined) return unspecifiedHeader(tlvs);
  return relayedHeader('tcp', { address, port: port ?? 0 }, { address: localAddress, port: localPort ?? 0 }, tlvs);
}

function tlvsOf({ tls, proxy }: Client, settings: SendProxyProtocol, uniqueId: () => string): ProxyTlvs {
  const told = proxy?.tlvs;
  return {
    alpn: settings.alpn ? (tls?.alpn ?? told?.alpn) : undefined,
    authority: settings.authority ? (tls?.serverName ?? told?.authority) : undefined,
    tls: settings.tls ? ((tls && proxyTls(tls)) ?? told?.tls) : undefined,
    uniqueId: settings.uniqueId ? (told?.uniqueId ?? bytesOf(uniqueId())) : undefined,
    hasChecksum: settings.checksum,
  };
}

function proxyTls({ version, cipher, commonName, hasCertificate, isVerified, isResumed }: ClientTls): ProxyTls {
  return {
    isOverTls: true,
    hasCertificate: hasCertificate && !isResumed,
    hasSessionCertificate: hasCertificate,
    // The letter of section 2.2.6: 0 means that there is a certificate, and that it is good. (X509_V_ERR_UNSPECIFIED is 1.)
    verifyResult: isVerified ? 0 : 1,
    version,
    cipher,
    commonName,
  };
}
