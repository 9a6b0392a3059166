/**
 * The PROXY protocol once more, as plainly as can be and by other means than src/: all bytes at once, as hexadecimal digits, with
 * regular expressions. The reader has to come to the same.
 */
import { toHex } from './wire.ts';

export type Plain =
  | { readonly state: 'more' | 'failed' }
  | { readonly state: 'done'; readonly size: number; readonly header: object };

const none = { family: 'unspec', source: undefined, destination: undefined };
const more: Plain = { state: 'more' };
const failed: Plain = { state: 'failed' };

export function parsePlainly(bytes: Uint8Array, maximumBlock = 4096): Plain {
  const digits = toHex(bytes);
  const signature = '0d0a0d0a000d0a515549540a';
  if (signature.startsWith(digits.slice(0, 24)) && digits !== '') return version2(digits, maximumBlock);
  return version1(String.fromCharCode(...bytes.subarray(0, 107)));
}

function version1(text: string): Plain {
  if (!'PROXY '.startsWith(text.slice(0, 6))) return failed;
  const [, line, end] = /^([^\r\n]*)(\r\n|\r.|\n|\r$|$)/s.exec(text) ?? [];
  if (line === undefined || end === undefined) throw new Error('this expression matches everything');
  if (end === '' || end === '\r') return text.length === 107 ? failed : more;
  if (end !== '\r\n') return failed;
  const size = line.length + 2;
  if (/^PROXY UNKNOWN(?: .*)?$/.test(line)) return { state: 'done', size, header: none };
  const words = /^PROXY (TCP[46]) (\S+) (\S+) (0|[1-9]\d*) (0|[1-9]\d*)$/.exec(line);
  if (words === null) return failed;
  const [, protocol = '', source = '', destination = '', sourcePort = '', destinationPort = ''] = words;
  const spell = protocol === 'TCP4' ? spellIPv4 : spellIPv6;
  const ends = [spell(source), spell(destination)];
  const ports = [Number(sourcePort), Number(destinationPort)];
  if (ends.includes(undefined) || ports.some((port) => port > 65535)) return failed;
  return { state: 'done', size, header: told('tcp', ends as string[], ports) };
}

function told(transport: string, [source = '', destination = '']: readonly string[], ports: readonly number[]): object {
  const isIPv4 = !source.includes(':') && !destination.includes(':');
  return {
    family: `${transport}${isIPv4 ? 4 : 6}`,
    source: { address: source, port: ports[0] },
    destination: { address: destination, port: ports[1] },
  };
}

function spellIPv4(text: string): string | undefined {
  const isOne = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text);
  return isOne ? text : undefined;
}

/** By way of the URL standard, which has the spelling of RFC 5952 but for IPv4-mapped addresses. */
function spellIPv6(text: string): string | undefined {
  if (!/^[\da-f:.]+$/i.test(text) || !text.includes(':') || !URL.canParse(`http://[${text}]/`)) return undefined;
  // Where the standard is laxer: it takes "::1.2.3" for nothing, but that is all it shares with inet_aton.
  const { hostname } = new URL(`http://[${text}]/`);
  const spelt = hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(spelt);
  if (mapped === null) return spelt;
  const [high = 0, low = 0] = mapped.slice(1).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function numberAt(digits: string, at: number, size: number): number {
  return Number.parseInt(digits.slice(2 * at, 2 * (at + size)), 16);
}

function version2(digits: string, maximumBlock: number): Plain {
  const command = digits.slice(24, 26);
  if (command !== '' && command !== '20' && command !== '21') return failed;
  if (digits.length < 32) return more;
  const size = 16 + numberAt(digits, 14, 2);
  if (size - 16 > maximumBlock) return failed;
  if (digits.length < 2 * size) return more;
  if (command === '20') return { state: 'done', size, header: none };
  const block = digits.slice(32, 2 * size);
  const family = digits.slice(26, 28);
  const addressSize = { '11': 12, '12': 12, '21': 36, '22': 36, '31': 216, '32': 216 }[family];
  if (addressSize === undefined) {
    const isTlvs = family.startsWith('0') && tile(block) !== undefined;
    return isTlvs && !isRight(digits.slice(0, 2 * size), 16) ? failed : { state: 'done', size, header: none };
  }
  if (block.length < 2 * addressSize || !isRight(digits.slice(0, 2 * size), 16 + addressSize)) return failed;
  if (addressSize === 216) {
    const paths = [path(block.slice(0, 216)), path(block.slice(216, 432))];
    if (paths.includes(undefined)) return failed;
    const [source, destination] = paths.map((address) => ({ address, port: 0 }));
    return { state: 'done', size, header: { family: 'unix', source, destination } };
  }
  const width = (addressSize - 4) / 2;
  const ends = [block.slice(0, 2 * width), block.slice(2 * width, 4 * width)].map(spellDigits);
  const ports = [numberAt(block, 2 * width, 2), numberAt(block, 2 * width + 2, 2)];
  return { state: 'done', size, header: told(family.endsWith('1') ? 'tcp' : 'udp', ends, ports) };
}

function spellDigits(digits: string): string {
  if (digits.length === 8) return [0, 1, 2, 3].map((at) => numberAt(digits, at, 1)).join('.');
  return spellIPv6(digits.replace(/(.{4})(?!$)/g, '$1:')) ?? '';
}

function path(digits: string): string | undefined {
  const bytes: readonly string[] = digits.match(/../g) ?? [];
  const isAbstract = bytes[0] === '00';
  const end = isAbstract ? bytes.findLastIndex((byte) => byte !== '00') + 1 : bytes.indexOf('00');
  const name = bytes.slice(isAbstract ? 1 : 0, end < 0 ? 108 : end);
  if (name.length === 0) return 'unix:';
  try {
    const text = decodeURIComponent(name.map((byte) => `%${byte}`).join(''));
    return /\p{Cc}|\p{Zl}|\p{Zp}/u.test(text) ? undefined : `unix:${isAbstract ? '@' : ''}${text}`;
  } catch {
    return undefined;
  }
}

/** The TLVs that the digits are, each with where its value begins; undefined where they are none. */
function tile(digits: string): { readonly type: string; readonly value: string; readonly at: number }[] | undefined {
  const tlvs = [];
  for (let at = 0; 2 * at < digits.length; ) {
    const size = numberAt(digits, at + 1, 2);
    const value = digits.slice(2 * (at + 3), 2 * (at + 3 + size));
    if (2 * (at + 3) > digits.length || value.length < 2 * size) return undefined;
    tlvs.push({ type: digits.slice(2 * at, 2 * at + 2), value, at: at + 3 });
    at += 3 + size;
  }
  return tlvs;
}

/** Whether what comes behind the addresses may stand. */
function isRight(header: string, start: number): boolean {
  const tlvs = tile(header.slice(2 * start));
  if (tlvs === undefined) return false;
  const checksums = tlvs.filter(({ type }) => type === '03');
  return (
    checksums.length <= 1 &&
    checksums.every(({ value, at }) => {
      const place = 2 * (start + at);
      return value.length === 8 && value === checksum(`${header.slice(0, place)}00000000${header.slice(place + 8)}`);
    }) &&
    tlvs.every(({ type, value }) => type !== '05' || value.length <= 256) &&
    tlvs.every(({ type, value }) => type !== '20' || (value.length >= 10 && tile(value.slice(10)) !== undefined))
  );
}

/** CRC32c by long division, bit after bit. */
function checksum(digits: string): string {
  let rest = 0xffffffffn;
  for (const byte of digits.match(/../g) ?? []) {
    rest ^= BigInt(`0x${byte}`);
    for (let bit = 0; bit < 8; bit++) rest = (rest >> 1n) ^ ((rest & 1n) * 0x82f63b78n);
  }
  return (rest ^ 0xffffffffn).toString(16).padStart(8, '0');
}
