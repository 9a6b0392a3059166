import { isHostName, isIp } from '../core/address.ts';
import { ByteCursor } from './byte-cursor.ts';

const serverNameExtension = 0;
const alpnExtension = 16;
const supportedVersionsExtension = 43;
const encryptedHelloExtension = 0xfe0d;

/** RFC 6066, section 3: the only kind of name there is. */
const hostName = 0;
const longestServerName = 255;

/** What a client says before anything is encrypted. Nobody vouches for it. */
export interface ClientHello {
  /** SNI: lower case, without a dot at the end. Clients that were given an IP address have none; if they send it, it is none. */
  readonly serverName: string | undefined;
  /** The protocols of ALPN, what the client likes best first; each character is a byte. */
  readonly alpn: readonly string[];
  /** 0x0304 for TLS 1.3, 0x0303 for 1.2 and so on, in the client's order; empty where the client does not know the extension. */
  readonly supportedVersions: readonly number[];
  /** The highest version of a client without `supportedVersions`; 0x0303 otherwise. */
  readonly legacyVersion: number;
  /** Whether the hello may hold another one that is encrypted (ECH), so that `serverName` is its provider's. Some only pretend. */
  readonly offersEncryptedHello: boolean;
}

type Reading = { -readonly [Field in keyof ClientHello]: ClientHello[Field] };

/**
 * Reads a ClientHello, without the four bytes that go before each handshake message (RFC 8446, section 4.1.2; RFC 5246, section
 * 7.4.1.2). Values of RFC 8701 (GREASE) are left out.
 *
 * @returns the reason instead, where it is malformed
 */
export function readClientHello(message: Uint8Array): ClientHello | string {
  const hello = new ByteCursor(message);
  const legacyVersion = hello.number(2);
  hello.skip(32);
  const sessionId = hello.vector(1);
  const cipherSuites = hello.vector(2);
  const compressionMethods = hello.vector(1);
  if (hello.isBroken) return 'a ClientHello that is cut off';
  if (legacyVersion >>> 8 !== 3) return 'a ClientHello of an unknown version';
  if (sessionId.left > 32) return 'a ClientHello with a session id of more than 32 bytes';
  if (cipherSuites.left === 0 || cipherSuites.left % 2 === 1) return 'a ClientHello with malformed cipher suites';
  if (compressionMethods.left === 0) return 'a ClientHello without compression methods';
  const reading: Reading = {
    serverName: undefined,
    alpn: [],
    supportedVersions: [],
    legacyVersion,
    offersEncryptedHello: false,
  };
  return (hello.left === 0 ? undefined : readExtensions(reading, hello)) ?? reading;
}

/** Reads what is left of a hello; tells what is wrong with it, if anything. */
function readExtensions(reading: Reading, hello: ByteCursor): string | undefined {
  const extensions = hello.vector(2);
  if (hello.isBroken) return 'a ClientHello with extensions that are cut off';
  if (hello.left > 0) return 'a ClientHello with bytes behind its extensions';
  const seen = new Set<number>();
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (extensions.isBroken) return 'a ClientHello with an extension that is cut off';
    // RFC 8446, section 4.2; two readers might go by two of them.
    if (seen.has(type)) return `a ClientHello with extension ${type} twice`;
    seen.add(type);
    const error = readExtension(reading, type, data);
    if (error !== undefined) return error;
  }
  return undefined;
}

function readExtension(reading: Reading, type: number, data: ByteCursor): string | undefined {
  switch (type) {
    case serverNameExtension:
      return readServerName(reading, data);
    case alpnExtension:
      return readAlpn(reading, data);
    case supportedVersionsExtension:
      return readVersions(reading, data);
    case encryptedHelloExtension:
      reading.offersEncryptedHello = true;
      return undefined;
    default:
      return undefined;
  }
}

/** RFC 6066, section 3. */
function readServerName(reading: Reading, data: ByteCursor): string | undefined {
  const names = data.vector(2);
  if (data.isBroken || data.left > 0 || names.left === 0) return 'a malformed list of server names';
  let found: string | undefined;
  while (names.left > 0) {
    const type = names.number(1);
    const name = names.vector(2);
    if (names.isBroken || name.left === 0) return 'a malformed list of server names';
    if (type !== hostName) continue;
    if (found !== undefined) return 'two server names';
    if (name.left > longestServerName) return `a server name of more than ${longestServerName} bytes`;
    found = name.text();
  }
  if (found === undefined || isIp(found)) return undefined;
  if (!isHostName(found)) return 'a server name that is no host name';
  reading.serverName = (found.endsWith('.') ? found.slice(0, -1) : found).toLowerCase();
  return undefined;
}

/** RFC 7301, section 3.1. */
function readAlpn(reading: Reading, data: ByteCursor): string | undefined {
  const protocols = data.vector(2);
  if (data.isBroken || data.left > 0 || protocols.left === 0) return 'a malformed list of protocols';
  const found: string[] = [];
  while (protocols.left > 0) {
    const protocol = protocols.vector(1).text();
    if (protocols.isBroken || protocol === '') return 'a malformed list of protocols';
    if (!isGreaseText(protocol)) found.push(protocol);
  }
  reading.alpn = found;
  return undefined;
}

/** RFC 8446, section 4.2.1. */
function readVersions(reading: Reading, data: ByteCursor): string | undefined {
  const versions = data.vector(1);
  if (data.isBroken || data.left > 0 || versions.left === 0 || versions.left % 2 === 1) {
    return 'a malformed list of versions';
  }
  const found: number[] = [];
  while (versions.left > 0) {
    const version = versions.number(2);
    if (!isGrease(version)) found.push(version);
  }
  reading.supportedVersions = found;
  return undefined;
}

/** 0x0a0a, 0x1a1a and so on up to 0xfafa. */
function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >>> 8 === (value & 0xff);
}

function isGreaseText(protocol: string): boolean {
  return protocol.length === 2 && isGrease((protocol.charCodeAt(0) << 8) | protocol.charCodeAt(1));
}
