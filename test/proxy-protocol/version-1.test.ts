import { describe, expect, test } from 'vitest';
import { localHeader, relayedHeader, unspecifiedHeader } from '../../src/proxy-protocol/proxy-header.ts';
import { noTlvs } from '../../src/proxy-protocol/tlvs.ts';
import { writeProxyHeader } from '../../src/proxy-protocol/write-proxy-header.ts';
import { ascii, headerIn, read, readPieces } from './wire.ts';

const unknown = unspecifiedHeader(noTlvs);
const client = { address: '192.0.2.1', port: 123 };
const server = { address: '192.0.2.2', port: 5678 };

function written(...header: Parameters<typeof relayedHeader>): string {
  return String.fromCharCode(...writeProxyHeader(1, relayedHeader(...header)));
}

describe('a PROXY line is read', () => {
  for (const [line, source, destination, family] of [
    // doc/proxy-protocol.txt, section 2.1
    ['PROXY TCP4 192.168.0.1 192.168.0.11 56324 443', '192.168.0.1 56324', '192.168.0.11 443', 'tcp4'],
    [
      'PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535',
      '255.255.255.255 65535',
      '255.255.255.255 65535',
      'tcp4',
    ],
    // nginx-tests, proxy_protocol.t
    ['PROXY TCP4 192.0.2.1 192.0.2.2 123 5678', '192.0.2.1 123', '192.0.2.2 5678', 'tcp4'],
    ['PROXY TCP6 2001:Db8::1 2001:Db8::2 123 5678', '2001:db8::1 123', '2001:db8::2 5678', 'tcp6'],
    ['PROXY TCP4 0.0.0.0 0.0.0.0 0 0', '0.0.0.0 0', '0.0.0.0 0', 'tcp4'],
    [
      'PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535',
      'tcp6',
    ],
    ['PROXY TCP6 :: ::1 1 2', ':: 1', '::1 2', 'tcp6'],
    ['PROXY TCP6 2001:0DB8:0:0:1:0:0:0001 1:0:0:2::3 1 2', '2001:db8::1:0:0:1 1', '1:0:0:2::3 2', 'tcp6'],
    // HAProxy, whose client is IPv4 and whose server is IPv6
    ['PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2', '192.0.2.1 1', '2001:db8::2 2', 'tcp6'],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::FFFF:C000:202 1 2', '192.0.2.1 1', '192.0.2.2 2', 'tcp4'],
  ] as const) {
    test(line, () => {
      const progress = read(ascii(`${line}\r\nGET /`));
      const ends = [source, destination].map((end) => end.split(' '));
      const [from, to] = ends.map(([address, port]) => ({ address, port: Number(port) }));
      expect(progress).toEqual({
        state: 'done',
        version: 1,
        header: { command: 'proxy', family, source: from, destination: to, tlvs: noTlvs },
        rest: ascii('GET /'),
      });
    });
  }

  for (const line of [
    'PROXY UNKNOWN',
    // nginx-tests, proxy_protocol.t
    'PROXY UNKNOWN 1 2 3 4 5 6',
    'PROXY UNKNOWN ',
    'PROXY UNKNOWN 192.0.2.1 192.0.2.2 123 5678',
    `PROXY UNKNOWN ${'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff '.repeat(2)}65535 65535`,
  ]) {
    test(`${line} tells no addresses`, () => {
      expect(headerIn(ascii(`${line}\r\n`))).toEqual(unknown);
    });
  }

  test('however it is cut', () => {
    const text = 'PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\nhello';
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        const { progress, left } = readPieces([
          ascii(text.slice(0, first)),
          ascii(text.slice(first, second)),
          ascii(text.slice(second)),
        ]);
        expect(progress).toMatchObject({ state: 'done', header: { source: client, destination: server } });
        expect(left).toBe(5);
      }
    }
  });

  test('up to its CR and LF: what follows may look like a line', () => {
    const line = 'PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n';
    expect(read(ascii(line + line))).toMatchObject({ state: 'done', rest: ascii(line) });
  });
});

describe('a PROXY line is refused', () => {
  for (const line of [
    'PROXY  TCP4 192.0.2.1 192.0.2.2 123 5678',
    'PROXY TCP4  192.0.2.1 192.0.2.2 123 5678',
    'PROXY TCP4 192.0.2.1  192.0.2.2 123 5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 123  5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 123 5678 ',
    'PROXY TCP4 192.0.2.1 192.0.2.2 123 5678 9',
    'PROXY TCP4 192.0.2.1 192.0.2.2 123',
    'PROXY TCP4 192.0.2.1 192.0.2.2',
    'PROXY TCP4',
    'PROXY TCP4 ',
    'PROXY ',
    'PROXY\t TCP4 192.0.2.1 192.0.2.2 123 5678',
    'PROXY TCP4\t192.0.2.1 192.0.2.2 123 5678',
    'PROXY tcp4 192.0.2.1 192.0.2.2 123 5678',
    'PROXY TCP5 192.0.2.1 192.0.2.2 123 5678',
    'PROXY UDP4 192.0.2.1 192.0.2.2 123 5678',
    'PROXY UNKNOWNS',
    'PROXY unknown',
    'PROXY TCP4 2001:db8::1 2001:db8::2 123 5678',
    'PROXY TCP4 ::ffff:192.0.2.1 ::ffff:192.0.2.2 123 5678',
    'PROXY TCP6 192.0.2.1 192.0.2.2 123 5678',
    'PROXY TCP6 2001:db8::1 192.0.2.2 123 5678',
    'PROXY TCP4 192.0.2.01 192.0.2.2 123 5678',
    'PROXY TCP4 192.0.2.256 192.0.2.2 123 5678',
    'PROXY TCP4 192.0.2 192.0.2.2 123 5678',
    'PROXY TCP4 0xC0000201 192.0.2.2 123 5678',
    'PROXY TCP4 192.0.2.1/32 192.0.2.2 123 5678',
    'PROXY TCP4 unix:/a 192.0.2.2 123 5678',
    'PROXY TCP4 a.example 192.0.2.2 123 5678',
    'PROXY TCP6 fe80::1%eth0 2001:db8::2 123 5678',
    'PROXY TCP6 [2001:db8::1] 2001:db8::2 123 5678',
    'PROXY TCP6 2001:db8::1/64 2001:db8::2 123 5678',
    'PROXY TCP6 1:2:3:4:5:6:7:8:9 2001:db8::2 123 5678',
    'PROXY TCP6 1::2::3 2001:db8::2 123 5678',
    'PROXY TCP6 20001::1 2001:db8::2 123 5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 65536 5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 123 99999',
    'PROXY TCP4 192.0.2.1 192.0.2.2 0123 5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 00 5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 +123 5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 -1 5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1e3 5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 123 0x10',
    'PROXY TCP4 192.0.2.1 192.0.2.2 123 ',
    'PROXY TCP4 192.0.2.1\0 192.0.2.2 123 5678',
    'PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\0',
  ]) {
    test(JSON.stringify(line), () => {
      expect(read(ascii(`${line}\r\n`)).state).toBe('failed');
    });
  }

  for (const [what, text] of [
    ['that is HTTP', 'GET / HTTP/1.1\r\n'],
    ['that is none but begins like one', 'PROXYTCP4 192.0.2.1 192.0.2.2 123 5678\r\n'],
    ['in lower case', 'proxy TCP4 192.0.2.1 192.0.2.2 123 5678\r\n'],
    ['behind a blank', ' PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n'],
    ['behind a line end', '\r\nPROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n'],
    ['that ends in a bare LF', 'PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\n'],
    ['that ends in a bare CR', 'PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\rGET'],
    ['that ends in two CRs', 'PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\r\n'],
    ['of an unknown protocol with a bare LF', 'PROXY UNKNOWN a\nb\r\n'],
    ['of an unknown protocol with a bare CR', 'PROXY UNKNOWN a\rb\r\n'],
    ['of 108 bytes', `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`],
    ['whose CR is the 107th byte', `PROXY UNKNOWN ${'x'.repeat(92)}\r`],
  ] as const) {
    test(what, () => {
      expect(read(ascii(text)).state).toBe('failed');
    });
  }

  test('at the first byte that cannot be right', () => {
    expect(read(ascii('G')).state).toBe('failed');
    expect(read(ascii('PROXY')).state).toBe('more');
    expect(read(ascii('PROXX')).state).toBe('failed');
    expect(read(ascii('PROXY TCP4 1\n')).state).toBe('failed');
    expect(read(ascii('PROXY TCP4 1\r')).state).toBe('more');
  });

  test('when it has 107 bytes and no end, not before', () => {
    const [longest, tooLong] = [91, 93].map((length) => `PROXY UNKNOWN ${'x'.repeat(length)}`);
    expect(read(ascii(`${longest}\r\n`)).state).toBe('done');
    expect(read(ascii(`${longest}x`)).state).toBe('more');
    expect(read(ascii(`${tooLong}`))).toEqual({ state: 'failed', reason: 'a PROXY line of more than 107 bytes' });
  });

  test('for good', () => {
    const { progress } = readPieces([ascii('GET'), ascii('PROXY UNKNOWN\r\n')]);
    expect(progress).toEqual({ state: 'failed', reason: 'no PROXY header' });
  });
});

describe('a PROXY line is written', () => {
  test('for TCP over IPv4', () => {
    expect(written('tcp', { address: '192.168.0.1', port: 56324 }, { address: '192.168.0.11', port: 443 })).toBe(
      'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n',
    );
  });

  test('for TCP over IPv6, without the zone', () => {
    expect(written('tcp', { address: 'fe80::1%eth0', port: 1 }, { address: '2001:DB8:0::2', port: 2 })).toBe(
      'PROXY TCP6 fe80::1 2001:db8::2 1 2\r\n',
    );
  });

  test('with IPv4 where both ends are IPv4 behind a dual-stack socket', () => {
    expect(
      written('tcp', { address: '::ffff:192.0.2.1', port: 123 }, { address: '::ffff:192.0.2.2', port: 5678 }),
    ).toBe('PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n');
  });

  test('with IPv6 where one end is IPv6, as HAProxy does', () => {
    expect(written('tcp', client, { address: '2001:db8::2', port: 443 })).toBe(
      'PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 123 443\r\n',
    );
  });

  test('as UNKNOWN for everything else', () => {
    expect(written('udp', client, server)).toBe('PROXY UNKNOWN\r\n');
    expect(written('tcp', { address: 'unix:/a', port: 0 }, { address: 'unix:/b', port: 0 })).toBe('PROXY UNKNOWN\r\n');
    expect(written('tcp', client, { address: 'unix:/b', port: 0 })).toBe('PROXY UNKNOWN\r\n');
    expect(written('tcp', client, { address: 'a.example', port: 1 })).toBe('PROXY UNKNOWN\r\n');
    expect(writeProxyHeader(1, localHeader)).toEqual(ascii('PROXY UNKNOWN\r\n'));
  });
});
