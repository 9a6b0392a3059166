import { describe, expect, test } from 'vitest';
import { crc32c } from '../../src/proxy-protocol/crc32c.ts';
import { localHeader, relayedHeader } from '../../src/proxy-protocol/proxy-header.ts';
import { hasVerifiedCertificate, type ProxyTls } from '../../src/proxy-protocol/proxy-tls.ts';
import { noTlvs, type ProxyTlvs } from '../../src/proxy-protocol/tlvs.ts';
import { writeProxyHeader } from '../../src/proxy-protocol/write-proxy-header.ts';
import { ascii, concat, headerIn, hex, read, tlv, toHex, version2 } from './wire.ts';

const client = { address: '192.0.2.1', port: 123 };
const server = { address: '192.0.2.2', port: 5678 };
const ipv4 = 'c0000201 c0000202 007b 162e';
/** HAProxy's tests have 127.0.0.1:42 to 127.0.0.1:1337. */
const loopback = '7f000001 7f000001 002a 0539';
/** Reference: computed over the whole header with the field zeroed. */
const withChecksum = hex('0d0a0d0a000d0a515549540a21110013c0000201c0000202007b162e0300041c2b486c');

const tls: ProxyTls = {
  isOverTls: true,
  hasCertificate: true,
  hasSessionCertificate: true,
  verifyResult: 0,
  version: 'TLSv1.3',
  commonName: 'clïent.example',
  cipher: 'TLS_AES_256_GCM_SHA384',
  signatureAlgorithm: 'RSA-SHA256',
  keyAlgorithm: 'RSA2048',
};

function tlvsOf(...block: readonly Uint8Array[]): ProxyTlvs {
  return headerIn(version2('2111', ipv4, ...block)).tlvs;
}

function reasonOf(...block: readonly Uint8Array[]): string | undefined {
  const progress = read(version2('2111', ipv4, ...block));
  return progress.state === 'failed' ? progress.reason : undefined;
}

function written(tlvs: ProxyTlvs): Uint8Array {
  return writeProxyHeader(2, relayedHeader('tcp', client, server, tlvs));
}

function asWritten(tlvs: ProxyTlvs): ProxyTlvs {
  return headerIn(written(tlvs)).tlvs;
}

describe("HAProxy's proxy_protocol_tlv_validation.vtc", () => {
  test('c1: a right header passes', () => {
    expect(headerIn(version2('2111', loopback, '020005 3132333435'))).toMatchObject({
      source: { address: '127.0.0.1', port: 42 },
      destination: { address: '127.0.0.1', port: 1337 },
      tlvs: { authority: '12345' },
    });
  });

  test('c3: a TLV that goes past the header fails', () => {
    const bytes = concat(version2('2111', loopback, '02000a 3132333435'), ascii('12345'));
    expect(read(bytes)).toEqual({ state: 'failed', reason: 'a TLV that is longer than what holds it' });
  });

  test('c4: TLVs that do not end with the header fail', () => {
    const bytes = version2('2111', loopback, '020004 31323334', '47');
    expect(read(bytes)).toEqual({ state: 'failed', reason: 'bytes behind the last TLV' });
  });
});

describe("HAProxy's proxy_protocol_tlv_embedded_nul.vtc", () => {
  test('c1: plain text is text, and what is unknown keeps its bytes', () => {
    const bytes = hex(
      '0d0a0d0a000d0a515549540a 2111 002f 7f0000017f000001002a0539 020006 7075626c6963 050006 7075626c6963 e10006 7075626c6963 200005 0000000000',
    );
    expect(headerIn(bytes).tlvs).toMatchObject({
      authority: 'public',
      uniqueId: ascii('public'),
      tls: { isOverTls: false, hasCertificate: false, hasSessionCertificate: false, verifyResult: 0 },
      others: [{ type: 0xe1, value: ascii('public') }],
    });
  });

  test('c2: text with a NUL is no text, so that nobody takes "public\\0x" for "public"', () => {
    const bytes = hex(
      '0d0a0d0a000d0a515549540a 2111 002d 7f0000017f000001002a0539 020008 7075626c69630078 050008 7075626c69630078 e10008 7075626c69630078',
    );
    const { authority, uniqueId, others } = headerIn(bytes).tlvs;
    expect(authority).toBeUndefined();
    expect(uniqueId).toEqual(ascii('public\0x'));
    expect(others).toEqual([
      { type: 0x02, value: ascii('public\0x') },
      { type: 0xe1, value: ascii('public\0x') },
    ]);
  });
});

describe('what HAProxy 2.6 sends with send-proxy-v2-ssl-cn and proxy-v2-options crc32c,authority,cert-key,cert-sig,ssl-cipher', () => {
  const common = {
    alpn: 'h2',
    authority: 'a.example',
    uniqueId: undefined,
    netns: undefined,
    hasChecksum: true,
    others: [],
  };
  const session = {
    isOverTls: true,
    verifyResult: 0,
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    signatureAlgorithm: 'RSA-SHA256',
    keyAlgorithm: 'RSA2048',
  };

  test('for a client with a certificate', () => {
    const bytes = hex(
      '0d0a0d0a000d0a515549540a211100777f0000017f000001bd624a3c030004d0a60c560100026832020009612e6578616d706c6520005007' +
        '00000000210007544c5376312e3322000e636c69656e742e6578616d706c652500075253413230343824000a5253412d534841323536230016' +
        '544c535f4145535f3235365f47434d5f534841333834',
    );
    const { source, destination, tlvs } = headerIn(bytes);
    expect([source?.port, destination?.port]).toEqual([48482, 19004]);
    const certificate = { hasCertificate: true, hasSessionCertificate: true, commonName: 'client.example' };
    expect(tlvs).toEqual({ ...common, tls: { ...session, ...certificate } });
    expect(hasVerifiedCertificate(tlvs.tls as ProxyTls)).toBe(true);
  });

  test('for a client without a certificate', () => {
    const bytes = hex(
      '0d0a0d0a000d0a515549540a211100667f0000017f000001bd6a4a3c0300047877796a0100026832020009612e6578616d706c6520003f01' +
        '00000000210007544c5376312e332500075253413230343824000a5253412d534841323536230016544c535f4145535f3235365f47434d5f53' +
        '4841333834',
    );
    const { tlvs } = headerIn(bytes);
    const certificate = { hasCertificate: false, hasSessionCertificate: false, commonName: undefined };
    expect(tlvs).toEqual({ ...common, tls: { ...session, ...certificate } });
    expect(hasVerifiedCertificate(tlvs.tls as ProxyTls)).toBe(false);
  });
});

describe("nginx's proxy_protocol2.t and proxy_protocol2_tlv.t", () => {
  test('TLVs of type 0 and length 0 pass', () => {
    expect(tlvsOf(new Uint8Array(9)).others).toEqual(Array(3).fill({ type: 0, value: new Uint8Array(0) }));
  });

  const texts = [tlv(0x21, 'TLSv1.2'), tlv(0x22, 'example.com'), tlv(0x23, 'AES256-SHA'), tlv(0x24, 'SHA1')];
  const values = [
    tlv(0x01, 'ALPN1'),
    tlv(0x02, 'localhost'),
    tlv(0x05, 'UNIQQ'),
    tlv(0x20, concat(hex('01 000000ff'), ...texts, tlv(0x25, 'RSA512'))),
    tlv(0x30, 'NETNS'),
    tlv(0xae, '12345'),
  ];

  test('all values are read', () => {
    expect(tlvsOf(...values)).toEqual({
      alpn: 'ALPN1',
      authority: 'localhost',
      uniqueId: ascii('UNIQQ'),
      tls: {
        isOverTls: true,
        hasCertificate: false,
        hasSessionCertificate: false,
        verifyResult: 255,
        version: 'TLSv1.2',
        commonName: 'example.com',
        cipher: 'AES256-SHA',
        signatureAlgorithm: 'SHA1',
        keyAlgorithm: 'RSA512',
      },
      netns: 'NETNS',
      hasChecksum: false,
      others: [{ type: 0xae, value: ascii('12345') }],
    });
  });

  test('its checksum of "4321" is wrong, which nginx does not look at and a receiver that knows CRC32c must', () => {
    expect(reasonOf(...values, tlv(0x03, '4321'))).toBe('a wrong checksum');
  });
});

describe('a checksum', () => {
  test('that is right passes', () => {
    expect(headerIn(withChecksum)).toMatchObject({ source: client, destination: server, tlvs: { hasChecksum: true } });
  });

  test('is written as the reference has it', () => {
    expect(toHex(written({ hasChecksum: true }))).toBe(toHex(withChecksum));
  });

  test('finds every flipped bit', () => {
    for (let bit = 0; bit < 8 * withChecksum.length; bit++) {
      const bytes = withChecksum.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const progress = read(bytes);
      // Where the command, the family or the TLV's type changes, nobody looks for a checksum any more.
      const isLookedAt = progress.state === 'done' && progress.header.tlvs.hasChecksum;
      expect(isLookedAt).not.toBe(true);
    }
  });

  test('covers what comes behind it too', () => {
    const bytes = version2('2111', ipv4, '030004 00000000', tlv(0x02, 'a.example'));
    expect(read(bytes).state).toBe('failed');
  });

  for (const size of [0, 3, 5]) {
    test(`of ${size} bytes is refused, even if it is right as far as it goes`, () => {
      const bytes = version2('2111', ipv4, tlv(0x03, new Uint8Array(size)));
      const right = new Uint8Array(8);
      new DataView(right.buffer).setUint32(0, crc32c(bytes));
      bytes.set(right.subarray(0, size), bytes.length - size);
      expect(read(bytes)).toEqual({ state: 'failed', reason: 'a checksum that has not four bytes' });
    });
  }

  test('that comes twice is refused, since neither can be reckoned without the other', () => {
    const bytes = version2('2111', ipv4, '030004 00000000', '030004 00000000');
    new DataView(bytes.buffer).setUint32(31, crc32c(bytes));
    expect(read(bytes)).toEqual({ state: 'failed', reason: 'a second checksum' });
  });

  test('of an unspecified family is looked at as well', () => {
    const bytes = version2('2100', tlv(0x02, 'a.example'), '030004 00000000');
    expect(read(bytes)).toEqual({ state: 'failed', reason: 'a wrong checksum' });
    new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32c(bytes));
    expect(headerIn(bytes)).toMatchObject({ family: 'unspec', tlvs: { hasChecksum: true, authority: 'a.example' } });
  });

  test('of a check is not, since its whole block is to be discarded', () => {
    expect(headerIn(version2('2000', '030004 00000000'))).toEqual(localHeader);
  });
});

describe('TLVs', () => {
  test('read as they were written', () => {
    const tlvs: ProxyTlvs = {
      alpn: 'h2',
      authority: 'ä.example',
      uniqueId: hex('00ff10'),
      tls,
      netns: 'blue',
      hasChecksum: true,
      others: [
        { type: 0xea, value: hex('01 76706365') },
        { type: 0xe0, value: new Uint8Array(0) },
      ],
    };
    expect(asWritten(tlvs)).toEqual(tlvs);
  });

  test('that pad are nothing', () => {
    expect(tlvsOf(tlv(0x04, ''), tlv(0x04, 'xxxx'))).toEqual(noTlvs);
  });

  test('count the first time; what comes again is kept apart', () => {
    expect(tlvsOf(tlv(0x02, 'a.example'), tlv(0x02, 'b.example'), tlv(0x05, '1'), tlv(0x05, '2'))).toMatchObject({
      authority: 'a.example',
      uniqueId: ascii('1'),
      others: [
        { type: 0x02, value: ascii('b.example') },
        { type: 0x05, value: ascii('2') },
      ],
    });
    expect(tlvsOf(tlv(0x20, hex('01 00000000')), tlv(0x20, hex('07 00000000')))).toMatchObject({
      tls: { hasCertificate: false },
      others: [{ type: 0x20 }],
    });
  });

  for (const [what, value] of [
    ['nothing', ''],
    ['no UTF-8', 'a\xff'],
    ['UTF-8 that is longer than it needs to be', 'a\xc0\xaf'],
    ['a line end', 'a\r\nb'],
    ['a line end of Unicode', 'a\xe2\x80\xa8b'],
    ['256 bytes', 'a'.repeat(256)],
  ] as const) {
    test(`with ${what} where text belongs are no text`, () => {
      for (const [type, field] of [
        [0x01, 'alpn'],
        [0x02, 'authority'],
        [0x30, 'netns'],
      ] as const) {
        const tlvs = tlvsOf(tlv(type, value));
        expect(tlvs[field]).toBeUndefined();
        expect(tlvs.others).toEqual([{ type, value: ascii(value) }]);
      }
    });
  }

  test('with 255 bytes of text are text', () => {
    expect(asWritten({ authority: 'a'.repeat(255) }).authority).toHaveLength(255);
  });

  test('with a unique id of 128 bytes pass, with 129 they do not', () => {
    expect(tlvsOf(tlv(0x05, 'u'.repeat(128))).uniqueId).toHaveLength(128);
    expect(reasonOf(tlv(0x05, 'u'.repeat(129)))).toBe('a unique id of more than 128 bytes');
  });

  test('of any length that the header has room for pass', () => {
    expect(tlvsOf(tlv(0xe0, 'x'.repeat(4081))).others?.[0]?.value).toHaveLength(4081);
  });

  test('keep their bytes when the chunk they came in is used again', () => {
    const bytes = version2('2111', ipv4, tlv(0x05, 'unique'), tlv(0xe0, 'other'));
    const { tlvs } = headerIn(bytes);
    bytes.fill(0);
    expect(tlvs).toMatchObject({ uniqueId: ascii('unique'), others: [{ value: ascii('other') }] });
  });

  for (const [what, value] of [
    ['without its verify result', '01'],
    ['of four bytes', '01 000000'],
    ['with a stray byte', '01 00000000 21'],
    ['with a value that goes past it', '01 00000000 210007 544c53'],
  ] as const) {
    test(`that tell of TLS ${what} are refused`, () => {
      expect(reasonOf(tlv(0x20, hex(value)))).toBeDefined();
    });
  }

  test('that tell of TLS may tell more than is known here', () => {
    const inner = concat(tlv(0x26, 'X25519'), tlv(0x21, 'TLSv1.3'), tlv(0x21, 'SSLv3'), tlv(0x22, 'a\nb'));
    const { tls: found } = tlvsOf(tlv(0x20, concat(hex('05 00000000'), inner)));
    expect(found).toMatchObject({ version: 'TLSv1.3', hasCertificate: false, hasSessionCertificate: true });
    expect(found?.commonName).toBeUndefined();
  });
});

describe('what readers would refuse is not written', () => {
  for (const [what, tlvs] of [
    ['a unique id of 129 bytes', { uniqueId: new Uint8Array(129) }],
    ['an empty unique id', { uniqueId: new Uint8Array(0) }],
    ['an authority of 256 bytes', { authority: 'a'.repeat(256) }],
    ['an authority with a line end', { authority: 'a\r\nb' }],
    ['an empty protocol', { alpn: '' }],
    ['a value of 1,025 bytes', { others: [{ type: 0xe0, value: new Uint8Array(1025) }] }],
    ['a checksum among the others', { others: [{ type: 0x03, value: new Uint8Array(4) }] }],
  ] as const) {
    test(what, () => {
      expect(asWritten(tlvs)).toEqual(noTlvs);
    });
  }

  test('more than a block of 4,096 bytes, checksum included', () => {
    const full = [1000, 1000, 1000, 1000, 62].map((size) => ({ type: 0xe0, value: new Uint8Array(size) }));
    const bytes = written({ hasChecksum: true, others: full });
    expect(bytes).toHaveLength(16 + 4096);
    expect(headerIn(bytes).tlvs).toMatchObject({ hasChecksum: true, others: full });
    const tooMuch = [...full.slice(0, 4), { type: 0xe0, value: new Uint8Array(63) }];
    expect(asWritten({ hasChecksum: true, others: tooMuch }).others).toHaveLength(4);
    expect(asWritten({ others: tooMuch }).others).toHaveLength(5);
  });
});

describe('a client certificate counts as verified', () => {
  test('with a result of 0, whether it came with this connection or an earlier one of the session', () => {
    expect(hasVerifiedCertificate(tls)).toBe(true);
    expect(hasVerifiedCertificate({ ...tls, hasCertificate: false })).toBe(true);
    expect(hasVerifiedCertificate({ ...tls, hasSessionCertificate: false })).toBe(true);
  });

  test('not without a certificate, although HAProxy then sends 0', () => {
    expect(hasVerifiedCertificate({ ...tls, hasCertificate: false, hasSessionCertificate: false })).toBe(false);
    expect(hasVerifiedCertificate({ ...tls, isOverTls: false })).toBe(false);
  });

  test('not with any other result', () => {
    expect(hasVerifiedCertificate({ ...tls, verifyResult: 18 })).toBe(false);
    expect(asWritten({ tls: { ...tls, verifyResult: 0xffffffff } }).tls?.verifyResult).toBe(0xffffffff);
  });
});
