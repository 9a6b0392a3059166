import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalAddress,
  formatEndpoint,
  inCidrs,
  isHostName,
  isIp,
  parseCidr,
  parseEndpoint,
} from '../../src/core/address.ts';
import { readIp } from '../../src/core/ip-words.ts';

/** The groups of an address, by way of the block that holds it alone. */
function groupsOf(text: string): readonly number[] {
  const words = new Int32Array(4);
  return readIp(text, words) ? Array.from(words).flatMap((word) => [word >>> 16, word & 0xffff]) : [];
}
const hex = (groups: readonly number[]): string => groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
const toNumber = (groups: readonly number[]): bigint => groups.reduce((sum, group) => sum * 65536n + BigInt(group), 0n);
const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
const ipv4 = octets.map((parts) => parts.join('.'));
/** Eight groups and a spelling of them, with a run of zeros shortened where there is one. */
const ipv6 = fc
  .tuple(fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 }), fc.boolean())
  .map(([groups, shorten]) => {
    const full = groups.map((group) => group.toString(16)).join(':');
    return {
      groups,
      text: shorten
        ? full
            .replace(/(?:^|:)0(?::0)+(?=:|$)/, ':')
            .replace(/^:$|:$|^:/, '::')
            .replace(/:::/, '::')
        : full,
    };
  })
  .filter(({ text }) => isIp(text));

describe('an IP address', () => {
  for (const [text, groups] of [
    ['10.0.0.1', '0000:0000:0000:0000:0000:ffff:0a00:0001'],
    ['255.255.255.255', '0000:0000:0000:0000:0000:ffff:ffff:ffff'],
    ['::', '0000:0000:0000:0000:0000:0000:0000:0000'],
    ['::1', '0000:0000:0000:0000:0000:0000:0000:0001'],
    ['2001:db8::', '2001:0db8:0000:0000:0000:0000:0000:0000'],
    ['2001:DB8::8:800:200C:417A', '2001:0db8:0000:0000:0008:0800:200c:417a'],
    ['1:2:3:4:5:6:7:8', '0001:0002:0003:0004:0005:0006:0007:0008'],
    ['1:2:3:4:5:6:7::', '0001:0002:0003:0004:0005:0006:0007:0000'],
    ['::2:3:4:5:6:7:8', '0000:0002:0003:0004:0005:0006:0007:0008'],
    ['::ffff:10.0.0.1', '0000:0000:0000:0000:0000:ffff:0a00:0001'],
    ['64:ff9b::192.0.2.33', '0064:ff9b:0000:0000:0000:0000:c000:0221'],
    ['1:2:3:4:5:6:1.2.3.4', '0001:0002:0003:0004:0005:0006:0102:0304'],
  ] as const) {
    test(`${text} is read`, () => {
      expect(hex(groupsOf(text))).toBe(groups);
    });
  }

  for (const text of [
    '',
    ':',
    ':::',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '1.2.3.-4',
    '01.2.3.4',
    '1.2.3.4 ',
    '0x1.2.3.4',
    '1e1.2.3.4',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    '12345::',
    'g::',
    ':1',
    '1:',
    '::1.2.3',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '[::1]',
    '10.0.0.1%eth0',
    'localhost',
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => {
      expect(isIp(text)).toBe(false);
    });
  }

  test('of version 4 has the value of its octets', () => {
    fc.assert(
      fc.property(octets, (parts) => {
        const value = parts.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
        expect(toNumber(groupsOf(parts.join('.'))) & 0xffffffffn).toBe(value);
      }),
    );
  });

  test('of version 6 is read in its full and in its short spelling', () => {
    fc.assert(
      fc.property(ipv6, ({ groups, text }) => {
        expect(groupsOf(text)).toEqual(groups);
      }),
    );
  });

  test('of version 6 may name a zone', () => {
    expect(isIp('fe80::1%eth0')).toBe(true);
  });

  test('has no control characters in its zone', () => {
    expect(isIp('fe80::1%eth0\r\nX-Evil: 1')).toBe(false);
  });

  test('has a zone that names something', () => {
    expect(isIp('fe80::1%')).toBe(false);
  });

  test('is never read from text with a line break', () => {
    const text = fc.tuple(fc.string(), fc.constantFrom('\n', '\r', '\0'), fc.string()).map((parts) => parts.join(''));
    fc.assert(fc.property(text, (text) => !isIp(text)));
  });
});

describe("a client's address", () => {
  test('that a dual-stack socket reports as mapped is the IPv4 address', () => {
    expect(canonicalAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
  });

  test('of any other kind stays as it is', () => {
    const others = ['10.0.0.1', '::1', '2001:db8::1', '::ffff:a00:1'];
    expect(others.map(canonicalAddress)).toEqual(others);
  });
});

describe('a block of addresses', () => {
  const holds = (block: string, address: string): boolean => {
    const cidr = parseCidr(block);
    if (cidr === undefined) throw new Error(`no block: ${block}`);
    return inCidrs([cidr], address);
  };

  for (const [block, address, expected] of [
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.128/25', '192.0.2.128', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.9', false],
    ['::/0', '::ffff:203.0.113.9', false],
    ['10.0.0.0/8', '::ffff:10.1.1.1', true],
    ['::ffff:10.0.0.0/104', '10.1.1.1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', 'localhost', false],
    ['10.0.0.0/8', '', false],
  ] as const) {
    test(`${block} ${expected ? 'holds' : 'does not hold'} ${JSON.stringify(address)}`, () => {
      expect(holds(block, address)).toBe(expected);
    });
  }

  for (const text of [
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/8 ',
    '10.0.0.0/1.5',
    '::/129',
    'fe80::1%eth0/64',
    'all',
    '10.0.0/8',
  ]) {
    test(`cannot be written ${JSON.stringify(text)}`, () => {
      expect(parseCidr(text)).toBe(undefined);
    });
  }

  test('of version 4 holds what agrees in its leading bits', () => {
    fc.assert(
      fc.property(octets, octets, fc.integer({ min: 0, max: 32 }), fc.boolean(), (block, other, prefix, isNear) => {
        const value = (parts: readonly number[]): bigint =>
          parts.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
        const address = isNear ? ([block[0], block[1], block[2], other[3]] as const) : other;
        const shift = BigInt(32 - prefix);
        const expected = value(block) >> shift === value(address) >> shift;
        expect(holds(`${block.join('.')}/${prefix}`, address.join('.'))).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  test('of version 6 holds what agrees in its leading bits', () => {
    fc.assert(
      fc.property(ipv6, fc.integer({ min: 0, max: 128 }), fc.nat(127), (block, prefix, flipped) => {
        const original = toNumber(block.groups);
        const value = original ^ (1n << BigInt(flipped));
        const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(16 * (7 - index))) & 0xffffn));
        // What looks like IPv4 on either side is matched by IPv4 blocks only, which has a test of its own.
        fc.pre(value >> 32n !== 0xffffn && original >> 32n !== 0xffffn);
        const shift = BigInt(128 - prefix);
        const text = groups.map((group) => group.toString(16)).join(':');
        expect(holds(`${block.text}/${prefix}`, text)).toBe(original >> shift === value >> shift);
      }),
      { numRuns: 1000 },
    );
  });

  test('is one of several that may hold an address', () => {
    const blocks = ['10.0.0.0/8', '2001:db8::/32'].flatMap((text) => parseCidr(text) ?? []);
    expect(['10.1.1.1', '2001:db8::1', '11.1.1.1'].map((address) => inCidrs(blocks, address))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('is in no empty list', () => {
    expect(inCidrs([], '10.0.0.1')).toBe(false);
  });
});

describe('an endpoint', () => {
  for (const [text, address, port] of [
    ['10.0.0.1:80', '10.0.0.1', 80],
    ['[2001:db8::1]:443', '2001:db8::1', 443],
    ['db.example:5432', 'db.example', 5432],
    ['unix:/run/app.sock', 'unix:/run/app.sock', 0],
  ] as const) {
    test(`${text} is read`, () => {
      expect(parseEndpoint(text)).toEqual({ address, port });
    });
  }

  for (const text of [
    '',
    ':80',
    '10.0.0.1',
    '10.0.0.1:',
    '10.0.0.1:http',
    '10.0.0.1:-1',
    '10.0.0.1:100000',
    '2001:db8::1:443',
    '[10.0.0.1]:80',
    '[::1]',
    '[::1:80',
    'unix:',
  ]) {
    test(`cannot be written ${JSON.stringify(text)}`, () => {
      expect(parseEndpoint(text)).toBe(undefined);
    });
  }

  test('that was formatted is read as it was', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          ipv4,
          ipv6.map(({ text }) => text),
        ),
        fc.integer({ min: 1, max: 65535 }),
        (address, port) => {
          expect(parseEndpoint(formatEndpoint(address, port))).toEqual({ address, port });
        },
      ),
    );
  });

  test('of a Unix socket is formatted without a port', () => {
    expect(formatEndpoint('unix:/run/app.sock', 0)).toBe('unix:/run/app.sock');
  });
});

describe('a host name', () => {
  for (const name of [
    'localhost',
    'a',
    'db-1.example.com',
    'example.com.',
    '_sip._tcp.example',
    'x'.repeat(63),
    '3com.example',
    'xn--bcher-kva.example',
  ]) {
    test(`may be ${name}`, () => {
      expect(isHostName(name)).toBe(true);
    });
  }

  for (const name of [
    '',
    '.',
    'a..b',
    '-a',
    'a-',
    'a b',
    'x'.repeat(64),
    `${'x'.repeat(60)}.`.repeat(5),
    '1.2.3',
    '256.1.1.1',
    'a\n',
    'a/b',
    'ä.example',
  ]) {
    test(`is not ${JSON.stringify(name)}`, () => {
      expect(isHostName(name)).toBe(false);
    });
  }
});
