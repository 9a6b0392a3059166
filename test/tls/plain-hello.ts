/**
 * A ClientHello once more, as plainly as can be and by other means than src/: all bytes at once, each rule one expression. The
 * reader has to come to the same.
 */
import type { ClientHello } from '../../src/tls/client-hello-message.ts';

export type Plain = { readonly state: 'more' | 'failed' } | { readonly state: 'done'; readonly hello: ClientHello };

class Malformed extends Error {}

/** Takes the first so many bytes off. */
function take(bytes: number[], size: number): number[] {
  if (bytes.length < size) throw new Malformed();
  return bytes.splice(0, size);
}

function takeNumber(bytes: number[], size: number): number {
  return Number(
    `0x${take(bytes, size)
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('')}`,
  );
}

function takeVector(bytes: number[], lengthSize: number): number[] {
  return take(bytes, takeNumber(bytes, lengthSize));
}

function require(condition: boolean): void {
  if (!condition) throw new Malformed();
}

export function parsePlainly(whole: Uint8Array, maximumSize: number = 16_384): Plain {
  const bytes = Array.from(whole);
  const message: number[] = [];
  let seen = 0;
  for (;;) {
    const [type, major, , high, low] = bytes;
    if ((type ?? 22) !== 22 || (major ?? 3) !== 3) return { state: 'failed' };
    if (high === undefined || low === undefined) return { state: 'more' };
    const length = high * 256 + low;
    seen += 5 + length;
    if (length === 0 || length > 16_384 || seen > maximumSize) return { state: 'failed' };
    message.push(...bytes.slice(5, 5 + length));
    const isWhole = bytes.length >= 5 + length;
    bytes.splice(0, 5 + length);
    if ((message[0] ?? 1) !== 1) return { state: 'failed' };
    const [, a = 0, b = 0, c = 0] = message;
    const size = 4 + a * 65_536 + b * 256 + c;
    const isKnown = message.length >= 4;
    if (isKnown && size + 5 > maximumSize) return { state: 'failed' };
    if (isKnown && message.length >= size) {
      // What is missing of the record is bytes behind the message as well.
      if (message.length > size || !isWhole) return { state: 'failed' };
      return parseMessage(message.slice(4));
    }
    if (!isWhole) return { state: 'more' };
  }
}

function parseMessage(bytes: number[]): Plain {
  try {
    return { state: 'done', hello: takeHello(bytes) };
  } catch (error) {
    if (error instanceof Malformed) return { state: 'failed' };
    throw error;
  }
}

function takeHello(bytes: number[]): ClientHello {
  const legacyVersion = takeNumber(bytes, 2);
  require(legacyVersion >= 0x0300 && legacyVersion < 0x0400);
  take(bytes, 32);
  require(takeVector(bytes, 1).length <= 32);
  const suites = takeVector(bytes, 2).length;
  require(suites >= 2 && suites % 2 === 0);
  require(takeVector(bytes, 1).length >= 1);
  const extensions = new Map<number, number[]>();
  if (bytes.length > 0) {
    const list = takeVector(bytes, 2);
    require(bytes.length === 0);
    while (list.length > 0) {
      const type = takeNumber(list, 2);
      require(!extensions.has(type));
      extensions.set(type, takeVector(list, 2));
    }
  }
  return {
    serverName: serverNameIn(extensions.get(0)),
    alpn: protocolsIn(extensions.get(16)).filter((name) => !/^([\da-f]a)\1$/.test(hexText(name))),
    supportedVersions: versionsIn(extensions.get(43)).filter((version) => !/^([\da-f]a)\1$/.test(hex(version))),
    legacyVersion,
    offersEncryptedHello: extensions.has(0xfe0d),
  };
}

function hex(number: number): string {
  return number.toString(16).padStart(4, '0');
}

function hexText(name: string): string {
  return Array.from(name, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

function text(bytes: readonly number[]): string {
  return bytes.map((byte) => String.fromCharCode(byte)).join('');
}

/** Everything that the one vector holds which the extension is. */
function only(extension: number[], lengthSize: number): number[] {
  const list = takeVector(extension, lengthSize);
  require(extension.length === 0 && list.length > 0);
  return list;
}

function serverNameIn(extension: number[] | undefined): string | undefined {
  if (extension === undefined) return undefined;
  const list = only(extension, 2);
  const names: string[] = [];
  while (list.length > 0) {
    const type = takeNumber(list, 1);
    const name = takeVector(list, 2);
    require(name.length > 0);
    if (type === 0) names.push(text(name));
  }
  require(names.length <= 1);
  const [name] = names;
  if (name === undefined || isAddress(name)) return undefined;
  const bare = name.replace(/\.$/, '').toLowerCase();
  require(name.length <= 255 && bare.length <= 253);
  require(/^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*(?!\d+$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(bare));
  return bare;
}

/** The names in the fuzz test that are addresses. */
function isAddress(name: string): boolean {
  return /^(?:\d{1,3}\.){3}\d{1,3}$/.test(name) || name.includes('::');
}

function protocolsIn(extension: number[] | undefined): string[] {
  if (extension === undefined) return [];
  const list = only(extension, 2);
  const names: string[] = [];
  while (list.length > 0) {
    const name = takeVector(list, 1);
    require(name.length > 0);
    names.push(text(name));
  }
  return names;
}

function versionsIn(extension: number[] | undefined): number[] {
  if (extension === undefined) return [];
  const list = only(extension, 1);
  require(list.length % 2 === 0);
  const versions: number[] = [];
  while (list.length > 0) versions.push(takeNumber(list, 2));
  return versions;
}
