import { describe, expect, test } from 'vitest';
import { localHeader, relayedHeader, unspecifiedHeader } from '../../src/proxy-protocol/proxy-header.ts';
import { noTlvs } from '../../src/proxy-protocol/tlvs.ts';
import { writeProxyHeader } from '../../src/proxy-protocol/write-proxy-header.ts';
import { ascii, concat, headerIn, hex, read, readPieces, tlv, toHex, version2 } from './wire.ts';

const client = { address: '192.0.2.1', port: 123 };
const server = { address: '192.0.2.2', port: 5678 };
/** nginx-tests, proxy_protocol2.t */
const ipv4 = 'c0000201 c0000202 007b 162e';
const ipv6 = `20010db8 ${'00000000 '.repeat(2)} 00000001 20010db8 ${'00000000 '.repeat(2)} 00000002 007b 162e`;

function path(text: string): Uint8Array {
  return concat(ascii(text), new Uint8Array(108 - text.length));
}

function unixHeader(source: string, destination: string): ReturnType<typeof relayedHeader> {
  return relayedHeader('tcp', { address: source, port: 0 }, { address: destination, port: 0 });
}

describe('a binary PROXY header is read', () => {
  for (const [what, bytes, expected] of [
    ['of TCP over IPv4', version2('2111', ipv4), relayedHeader('tcp', client, server)],
    ['of UDP over IPv4', version2('2112', ipv4), relayedHeader('udp', client, server)],
    [
      'of TCP over IPv6',
      version2('2121', ipv6),
      relayedHeader('tcp', { address: '2001:db8::1', port: 123 }, { address: '2001:db8::2', port: 5678 }),
    ],
    [
      'of UDP over IPv6',
      version2('2122', ipv6),
      relayedHeader('udp', { address: '2001:db8::1', port: 123 }, { address: '2001:db8::2', port: 5678 }),
    ],
    [
      'of IPv6 where one end is IPv4',
      version2('2121', '00000000 00000000 0000ffff c0000201', '20010db8 00000000 00000000 00000002 007b 162e'),
      relayedHeader('tcp', client, { address: '2001:db8::2', port: 5678 }),
    ],
    [
      'of IPv6 where both ends are IPv4',
      version2('2121', '00000000 00000000 0000ffff c0000201 00000000 00000000 0000ffff c0000202 007b 162e'),
      relayedHeader('tcp', client, server),
    ],
    ['of Unix sockets', version2('2131', path('/run/a'), path('/b')), unixHeader('unix:/run/a', 'unix:/b')],
    [
      'of datagrams of Unix sockets',
      version2('2132', path('/run/a'), path('/b')),
      unixHeader('unix:/run/a', 'unix:/b'),
    ],
    ['of a Unix socket without a name', version2('2131', path(''), path('/b')), unixHeader('unix:', 'unix:/b')],
    ['of an abstract Unix socket', version2('2131', path('\0a'), path('/b')), unixHeader('unix:@a', 'unix:/b')],
    [
      'of a path that has no end, and one with something behind its end',
      version2('2131', ascii('p'.repeat(108)), path('/b\0rest')),
      unixHeader(`unix:${'p'.repeat(108)}`, 'unix:/b'),
    ],
    [
      'of the highest addresses and ports',
      version2('2111', 'ff'.repeat(12)),
      relayedHeader('tcp', { address: '255.255.255.255', port: 65535 }, { address: '255.255.255.255', port: 65535 }),
    ],
    ['without addresses', version2('2100'), unspecifiedHeader(noTlvs)],
    // nginx-tests, proxy_protocol2.t: unk1 and unk2
    ['of an unspecified family', version2('2101'), unspecifiedHeader(noTlvs)],
    ['of an unknown family', version2('2141', '01020304'), unspecifiedHeader(noTlvs)],
    ['of an unspecified transport', version2('2110', ipv4), unspecifiedHeader(noTlvs)],
    ['of an unknown transport', version2('2113', ipv4), unspecifiedHeader(noTlvs)],
    ['of an unspecified family with addresses, which are ignored', version2('2100', ipv4), unspecifiedHeader(noTlvs)],
    ['of a check', version2('2000'), localHeader],
    ['of a check with a family and a block, which are ignored', version2('2011', 'ffffffffff'), localHeader],
  ] as const) {
    test(what, () => {
      expect(read(concat(bytes, ascii('GET /')))).toEqual({
        state: 'done',
        version: 2,
        header: expected,
        rest: ascii('GET /'),
      });
    });
  }

  test('byte by byte, and not before its last byte', () => {
    const bytes = version2('2111', ipv4, tlv(0x02, 'a.example'));
    for (let length = 0; length < bytes.length; length++) {
      const { progress } = readPieces(Array.from(bytes.slice(0, length), (byte) => Uint8Array.of(byte)));
      expect(progress).toEqual({ state: 'more' });
    }
    const { progress } = readPieces(Array.from(bytes, (byte) => Uint8Array.of(byte)));
    expect(progress).toMatchObject({ state: 'done', header: { source: client, tlvs: { authority: 'a.example' } } });
  });

  test('up to its length: TLVs behind it belong to the connection', () => {
    // HAProxy, reg-tests/connection/proxy_protocol_tlv_validation.vtc, c2
    const behind = tlv(0x02, '54321');
    const bytes = concat(version2('2111', '7f000001 7f000001 002a 0539', tlv(0x02, '12345')), behind);
    expect(read(bytes)).toMatchObject({ state: 'done', header: { tlvs: { authority: '12345' } }, rest: behind });
  });

  test('with a block up to the limit', () => {
    const padding = (size: number): Uint8Array => version2('2111', ipv4, tlv(0x04, new Uint8Array(size - 15)));
    expect(read(padding(4096)).state).toBe('done');
    expect(read(padding(4097))).toEqual({ state: 'failed', reason: 'a PROXY header of more than 4112 bytes' });
    expect(read(padding(4097).slice(0, 16)).state).toBe('failed');
    expect(read(padding(100), { maximumBlock: 99 }).state).toBe('failed');
    expect(read(padding(99), { maximumBlock: 99 }).state).toBe('done');
    expect(read(padding(65535), { maximumBlock: 65535 }).state).toBe('done');
  });
});

describe('a binary PROXY header is refused', () => {
  for (const [what, bytes] of [
    ['of another version', version2('3111', ipv4)],
    ['of version 1', version2('1111', ipv4)],
    ['of version 0', version2('0111', ipv4)],
    ['with an unknown command', version2('2211', ipv4)],
    ['with another unknown command', version2('2f11', ipv4)],
    ['that is too short for IPv4', version2('2111', ipv4.slice(0, -2))],
    ['without a block for IPv4', version2('2111')],
    ['that is too short for IPv6', version2('2121', ipv6.slice(0, -2))],
    ['of IPv6 with addresses of IPv4', version2('2121', ipv4)],
    ['that is too short for paths', version2('2131', path('/a'), path('/b').slice(1))],
    ['with a path that is not UTF-8', version2('2131', path('/\xff'), path('/b'))],
    ['with a path that has a line end', version2('2131', path('/a\n'), path('/b'))],
    ['with one stray byte', version2('2111', ipv4, '00')],
    ['with two stray bytes', version2('2111', ipv4, '0000')],
    ['whose signature is wrong at its end', concat(hex('0d0a0d0a000d0a515549540b'), version2('2111', ipv4).slice(12))],
  ] as const) {
    test(what, () => {
      expect(read(bytes).state).toBe('failed');
    });
  }

  test('as soon as it can be: with the byte that is wrong', () => {
    const bytes = version2('2211', ipv4);
    expect(read(bytes.slice(0, 12)).state).toBe('more');
    expect(read(bytes.slice(0, 13)).state).toBe('failed');
    expect(read(hex('0d0a0d0a01')).state).toBe('failed');
  });
});

describe('a binary PROXY header is written', () => {
  for (const [what, header, expected] of [
    ['for TCP over IPv4', relayedHeader('tcp', client, server), version2('2111', ipv4)],
    ['for UDP over IPv4', relayedHeader('udp', client, server), version2('2112', ipv4)],
    [
      'for TCP over IPv6, without the zone',
      relayedHeader('tcp', { address: '2001:db8::1%eth0', port: 123 }, { address: '2001:db8::2', port: 5678 }),
      version2('2121', ipv6),
    ],
    [
      'with IPv4 where both ends are IPv4 behind a dual-stack socket',
      relayedHeader('tcp', { ...client, address: '::ffff:192.0.2.1' }, { ...server, address: '::ffff:192.0.2.2' }),
      version2('2111', ipv4),
    ],
    [
      'with IPv6 where one end is IPv6',
      relayedHeader('udp', client, { address: '2001:db8::2', port: 5678 }),
      version2('2122', '00000000 00000000 0000ffff c0000201', '20010db8 00000000 00000000 00000002 007b 162e'),
    ],
    ['for Unix sockets', unixHeader('unix:/run/a', 'unix:/b'), version2('2131', path('/run/a'), path('/b'))],
    ['for an abstract Unix socket', unixHeader('unix:@a', 'unix:'), version2('2131', path('\0a'), path(''))],
    ['as that of a check where a path is too long', unixHeader(`unix:${'p'.repeat(109)}`, 'unix:/b'), version2('2000')],
    [
      'as that of a check where the ends are no pair',
      relayedHeader('tcp', client, { address: 'unix:/b', port: 0 }),
      version2('2000'),
    ],
    ['for a check, with nothing in it', localHeader, version2('2000')],
    [
      'for a check, with the TLVs that it is given',
      { ...localHeader, tlvs: { alpn: 'h2' } },
      version2('2000', '010002 6832'),
    ],
    [
      'for a connection without addresses, as HAProxy writes it',
      unspecifiedHeader({ alpn: 'h2' }),
      version2('2000', '010002 6832'),
    ],
    // HAProxy 2.6 with `check send-proxy-v2 proxy-v2-options crc32c`
    [
      'for a check with a checksum',
      { ...localHeader, tlvs: { hasChecksum: true } },
      hex('0d0a0d0a000d0a515549540a20000007030004a9b87e8f'),
    ],
    // Nobody but who makes a header by hand gets here.
    [
      'as that of a check where one is missing',
      { ...relayedHeader('tcp', client, server), source: undefined },
      version2('2000'),
    ],
    [
      'as that of a check where one is a name',
      { ...relayedHeader('tcp', client, server), source: { address: 'a.example', port: 1 } },
      version2('2000'),
    ],
    [
      'as that of a check where one is no path',
      { ...unixHeader('unix:/a', 'unix:/b'), destination: server },
      version2('2000'),
    ],
    [
      'as what the addresses are, whatever it says',
      { ...relayedHeader('tcp', client, server), family: 'tcp6' },
      version2('2111', ipv4),
    ],
  ] as const) {
    test(what, () => {
      expect(toHex(writeProxyHeader(2, header))).toBe(toHex(expected));
    });
  }

  test('so that it reads back', () => {
    const header = unixHeader('unix:@a', 'unix:/run/b');
    expect(headerIn(writeProxyHeader(2, header))).toEqual(header);
  });
});
