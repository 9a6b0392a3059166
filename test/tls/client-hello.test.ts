import { describe, expect, test } from 'vitest';
import { ascii, concat, hex } from '../proxy-protocol/wire.ts';
import * as recorded from './recorded-hellos.ts';
import {
  bytesOneByOne,
  extension,
  hello,
  helloIn,
  message,
  number,
  protocols,
  read,
  readPieces,
  record,
  records,
  serverNames,
  vector,
  versions,
} from './wire.ts';

const tls13 = [0x0304, 0x0303];
const tls10 = [0x0304, 0x0303, 0x0302, 0x0301];
const plain = { legacyVersion: 0x0303, offersEncryptedHello: false };

describe('a real ClientHello is read', () => {
  for (const [what, bytes, serverName, alpn, supportedVersions] of [
    ['RFC 8448, section 3', recorded.rfc8448, 'server', [], [0x0304]],
    ['Mbed TLS: no server name, no versions', recorded.mbedTls, undefined, [], []],
    ['Node 20', recorded.node20, 'a.example', ['h2', 'http/1.1'], tls13],
    ['Node 20, TLS 1.2', recorded.node20Tls12, undefined, [], []],
    ['Node 24, X25519MLKEM768', recorded.node24, 'www.a.example', ['h2', 'http/1.1'], tls13],
    ['openssl s_client, a name in capitals', recorded.openssl, 'a.example', ['h2'], tls10],
    ['openssl s_client, TLS 1.2', recorded.opensslTls12, undefined, [], []],
    ['curl', recorded.curl, 'b.example', ['h2', 'http/1.1'], tls10],
    ['curl, to an address', recorded.curlToAddress, undefined, ['h2', 'http/1.1'], tls10],
    ['Bun, X25519MLKEM768', recorded.bun, 'localhost', ['http/1.1'], tls13],
    ['Python, with an address for a name', recorded.pythonToAddress, undefined, [], tls13],
  ] as const) {
    const expected = { state: 'done', hello: { serverName, alpn, supportedVersions, ...plain } };

    test(`${what}: in one piece`, () => {
      expect(read(bytes)).toEqual(expected);
    });

    test(`${what}: byte by byte, and not before its last byte`, () => {
      expect(readPieces(bytesOneByOne(bytes.slice(0, -1)))).toEqual({ state: 'more' });
      expect(readPieces(bytesOneByOne(bytes))).toEqual(expected);
    });

    test(`${what}: in TCP segments of 536 and 1,460 bytes`, () => {
      for (const size of [536, 1460]) {
        const segments = [0, 1, 2, 3].map((index) => bytes.slice(index * size, (index + 1) * size));
        expect(readPieces(segments)).toEqual(expected);
      }
    });

    test(`${what}: in records of 1, 3 and 100 bytes`, () => {
      for (const size of [1, 3, 100]) {
        const cut = records(bytes.slice(5), size);
        expect(read(cut)).toEqual(expected);
        expect(readPieces(bytesOneByOne(cut))).toEqual(expected);
      }
    });
  }

  test('the post-quantum ones need more than a TCP segment', () => {
    expect(recorded.node24.length).toBeGreaterThan(1460);
    expect(recorded.bun.length).toBeGreaterThan(1460);
  });
});

describe('a ClientHello', () => {
  test('without extensions, as SSL 3 had it, has no name', () => {
    const bytes = records(message({ version: 0x0300 }));
    expect(helloIn(bytes)).toEqual({
      serverName: undefined,
      alpn: [],
      supportedVersions: [],
      legacyVersion: 0x0300,
      offersEncryptedHello: false,
    });
  });

  test('with an empty list of extensions has no name', () => {
    expect(helloIn(hello()).serverName).toBeUndefined();
  });

  test('may name any record version of TLS', () => {
    for (const version of [0x0300, 0x0301, 0x0303, 0x0304, 0x03ff]) {
      expect(read(record(message({}), 22, version)).state).toBe('done');
    }
  });

  test("like Chrome's: values of GREASE are left out, ECH is noticed", () => {
    const bytes = hello(
      extension(0x2a2a),
      serverNames('public.example'),
      protocols('zz', 'h2', '\n\n', 'http/1.1'),
      versions(0xfafa, 0x0304, 0x0a0a, 0x0303),
      extension(0xfe0d, hex('00 0001 0001 5a 0020'), new Uint8Array(32), vector(2, new Uint8Array(144))),
      extension(
        51,
        vector(2, number(2, 0x3a3a), vector(2, number(1, 0)), number(2, 4588), vector(2, new Uint8Array(1216))),
      ),
      extension(0x5a5a, number(1, 0)),
    );
    expect(helloIn(bytes)).toEqual({
      serverName: 'public.example',
      alpn: ['h2', 'http/1.1'],
      supportedVersions: [0x0304, 0x0303],
      legacyVersion: 0x0303,
      offersEncryptedHello: true,
    });
  });

  test('only values with both bytes alike are GREASE', () => {
    expect(helloIn(hello(versions(0x0a1a, 0x0b0b, 0x1a1a, 0x0303))).supportedVersions).toEqual([
      0x0a1a, 0x0b0b, 0x0303,
    ]);
    expect(helloIn(hello(protocols('zj', 'aa', 'zzz', '**'))).alpn).toEqual(['zj', 'aa', 'zzz']);
  });

  test('may name protocols of any bytes', () => {
    expect(helloIn(hello(protocols('\0\xff', 'x'.repeat(255)))).alpn).toEqual(['\0\xff', 'x'.repeat(255)]);
  });

  test('is complete without the records behind it', () => {
    expect(read(concat(hello(serverNames('a.example')), record(ascii('early data'), 23)))).toMatchObject({
      state: 'done',
      hello: { serverName: 'a.example' },
    });
    expect(read(concat(hello(), ascii('garbage'))).state).toBe('done');
  });

  test('stays what it was when more is pushed', () => {
    const progress = readPieces([hello(serverNames('a.example')), hello(serverNames('b.example'))]);
    expect(progress).toMatchObject({ state: 'done', hello: { serverName: 'a.example' } });
  });
});

describe('a server name', () => {
  for (const [name, expected] of [
    ['a.example', 'a.example'],
    ['A.eXample', 'a.example'],
    ['a.example.', 'a.example'],
    ['localhost', 'localhost'],
    ['xn--nxasmq6b.example', 'xn--nxasmq6b.example'],
    ['_dmarc.a.example', '_dmarc.a.example'],
    ['1.2.3.4.example', '1.2.3.4.example'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
    [`${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
    ['192.0.2.1', undefined],
    ['2001:db8::1', undefined],
    ['::ffff:192.0.2.1', undefined],
  ] as const) {
    test(`${name.slice(0, 30)} is ${expected === undefined ? 'none' : 'read'}`, () => {
      expect(helloIn(hello(serverNames(name))).serverName).toBe(expected);
    });
  }

  for (const name of [
    '',
    '.',
    'a.example..',
    '.a.example',
    'a..example',
    '-a.example',
    'a-.example',
    'a b.example',
    'a.example\0',
    'a.example\0.b.example',
    'a.example\n',
    'a.example:443',
    '*.a.example',
    'ä.example',
    '\xc3\xa4.example',
    '[2001:db8::1]',
    '1.2.3',
    '256.1.1.1',
    'a.example/',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}a`,
    'a'.repeat(256),
  ]) {
    test(`${JSON.stringify(name.slice(0, 30))} is refused`, () => {
      expect(read(hello(serverNames(name)))).toMatchObject({ state: 'failed', kind: 'malformed' });
    });
  }

  test('is refused where there are two, even alike', () => {
    expect(read(hello(serverNames('a.example', 'b.example')))).toMatchObject({ reason: 'two server names' });
    expect(read(hello(serverNames('a.example', 'a.example'))).state).toBe('failed');
    expect(read(hello(serverNames('a.example'), serverNames('b.example')))).toMatchObject({
      state: 'failed',
      reason: 'a ClientHello with extension 0 twice',
    });
  });

  test('of another type is no name, beside a host name or alone', () => {
    expect(helloIn(hello(serverNames([7, 'x'], 'a.example'))).serverName).toBe('a.example');
    expect(helloIn(hello(serverNames('a.example', [7, 'x']))).serverName).toBe('a.example');
    expect(helloIn(hello(serverNames([7, 'x']))).serverName).toBeUndefined();
  });
});

describe('what is malformed is refused', () => {
  const name = serverNames('a.example');
  for (const [what, bytes] of [
    ['an unknown version', records(message({ version: 0x0203 }))],
    ['a session id of 33 bytes', records(message({ sessionId: new Uint8Array(33) }))],
    ['no cipher suites', records(message({ cipherSuites: new Uint8Array(0) }))],
    ['cipher suites of an odd length', records(message({ cipherSuites: new Uint8Array(3) }))],
    ['no compression methods', records(message({ compressionMethods: new Uint8Array(0) }))],
    ['a byte where extensions begin', records(message({ behind: number(1, 0) }))],
    ['a byte behind the extensions', records(message({ extensions: [name], behind: number(1, 0) }))],
    ['extensions that go past the message', records(message({ behind: number(2, 1) }))],
    ['an extension that goes past the extensions', hello(concat(number(2, 0), number(2, 9)))],
    ['half an extension', hello(hex('000000'))],
    ['an extension twice', hello(extension(35), name, extension(35))],
    ['an extension of GREASE twice', hello(extension(0x0a0a), extension(0x0a0a))],
    ['an empty list of names', hello(extension(0, vector(2)))],
    ['no list of names', hello(extension(0))],
    [
      'a list of names that is shorter than its extension',
      hello(extension(0, vector(2, number(1, 0), vector(2, ascii('a'))), number(1, 0))),
    ],
    [
      'a list of names that is longer than its extension',
      hello(extension(0, number(2, 9), number(1, 0), vector(2, ascii('a')))),
    ],
    ['a name that goes past the list', hello(extension(0, vector(2, number(1, 0), number(2, 2), ascii('a'))))],
    ['half a name', hello(extension(0, vector(2, number(1, 0), number(1, 0))))],
    ['an empty list of protocols', hello(extension(16, vector(2)))],
    ['an empty protocol', hello(protocols('h2', ''))],
    ['a protocol that goes past the list', hello(extension(16, vector(2, number(1, 3), ascii('h2'))))],
    [
      'a list of protocols that is shorter than its extension',
      hello(extension(16, vector(2, vector(1, ascii('h2'))), number(1, 0))),
    ],
    ['an empty list of versions', hello(versions())],
    ['a list of versions of an odd length', hello(extension(43, vector(1, number(3, 0x030403))))],
    ['a list of versions that is longer than its extension', hello(extension(43, number(1, 4), number(2, 0x0304)))],
    ['an empty message', record(hex('01000000'))],
    ['a message of two bytes', record(hex('010000020303'))],
    ['another handshake message first', record(hex('02000000'))],
    ['bytes behind the message in its record', record(concat(message({ extensions: [name] }), number(1, 0)))],
    ['another message behind it in its record', record(concat(message({}), message({})))],
    ['an empty record', concat(record(new Uint8Array(0)), hello(name))],
    ['an empty record in between', concat(record(message({}).slice(0, 9)), record(new Uint8Array(0)))],
    ['a record of 16,385 bytes', concat(hex('1603014001'))],
    ['an alert in between', concat(record(message({}).slice(0, 9)), record(hex('0100'), 21))],
    ['a record of another version in between', concat(record(message({}).slice(0, 9)), hex('1602'))],
  ] as const) {
    test(what, () => {
      expect(read(bytes, { maximumSize: 65_536 })).toMatchObject({ state: 'failed', kind: 'malformed' });
    });
  }

  test('as soon as it can be', () => {
    expect(read(hex('16030100c4')).state).toBe('more');
    expect(read(hex('16030100c402')).state).toBe('failed');
    expect(read(hex('1603010000')).state).toBe('failed');
  });
});

describe('what is no TLS is told apart', () => {
  for (const [what, bytes] of [
    ['HTTP', ascii('GET / HTTP/1.1\r\n')],
    ['one byte of HTTP', ascii('G')],
    ['SSH', ascii('SSH-2.0-OpenSSH\r\n')],
    ['the PROXY protocol', ascii('PROXY TCP4 ')],
    ['the PROXY protocol in binary', hex('0d0a0d0a000d0a515549540a')],
    // nginx, src/stream/ngx_stream_ssl_preread_module.c: "version 2 ClientHello"
    ['a ClientHello in the form of SSLv2', hex('802b 01 0301 0012 0000 0010')],
    ['an alert', hex('15030100020100')],
    ['a record of DTLS', hex('16feff')],
    ['SSL 2 in the place of the version', hex('160200')],
  ] as const) {
    test(what, () => {
      expect(read(bytes)).toMatchObject({ state: 'failed', kind: 'not-tls' });
    });
  }

  test('with its first bytes', () => {
    expect(read(hex('16')).state).toBe('more');
    expect(read(hex('1603')).state).toBe('more');
    expect(read(hex('1602')).state).toBe('failed');
  });
});

describe('the limit', () => {
  const padded = (size: number): Uint8Array => {
    const without = hello(serverNames('a.example'), extension(21)).length;
    return hello(serverNames('a.example'), extension(21, new Uint8Array(size - without)));
  };

  test('is 16,384 bytes, the header of the record included', () => {
    expect(read(padded(16_384)).state).toBe('done');
    expect(read(padded(16_385))).toEqual({
      state: 'failed',
      kind: 'too-long',
      reason: 'a ClientHello of more than 16384 bytes',
    });
  });

  test('can be set, up to several full records', () => {
    const long = records(
      message({ extensions: [serverNames('a.example'), extension(21, new Uint8Array(50_000))] }),
      16_384,
    );
    expect(read(long, { maximumSize: 65_536 })).toMatchObject({ state: 'done', hello: { serverName: 'a.example' } });
    expect(readPieces(bytesOneByOne(long), { maximumSize: 65_536 }).state).toBe('done');
    expect(read(long)).toMatchObject({ kind: 'too-long' });
    expect(read(padded(1024), { maximumSize: 1024 }).state).toBe('done');
    expect(read(padded(1025), { maximumSize: 1024 })).toMatchObject({ kind: 'too-long' });
  });

  test('counts what the message announces, before it has come', () => {
    expect(read(hex('1603010005 01003ff7 00')).state).toBe('more');
    expect(read(hex('1603010005 01003ff8 00'))).toMatchObject({ kind: 'too-long' });
    expect(read(hex('1603010005 01ffffff 00'), { maximumSize: 65_536 })).toMatchObject({ kind: 'too-long' });
  });

  test('counts the headers of small records', () => {
    const cut = records(message({ extensions: [extension(21, new Uint8Array(3000))] }), 1);
    expect(cut.length).toBeGreaterThan(16_384);
    expect(read(cut)).toMatchObject({ kind: 'too-long' });
    expect(read(cut, { maximumSize: 65_536 }).state).toBe('done');
  });
});
