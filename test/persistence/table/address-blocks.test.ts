import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressBlocks } from '../../../src/persistence/table/address-blocks.ts';
import { parseIp } from '../../fixtures/plain-address.ts';

const exact = { ipv4: 32, ipv6: 128 };

/** The block of an address in hexadecimal; undefined where the text is none. */
function blockOf(address: string, granularity = exact): string | undefined {
  const blocks = new AddressBlocks(granularity);
  if (!blocks.read(address)) return undefined;
  return Array.from(blocks.words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join(' ');
}

/** What a plain reader makes of it. */
function plainly(address: string): string | undefined {
  const groups = parseIp(address);
  if (groups === undefined) return undefined;
  const digits = groups.map((group) => group.toString(16).padStart(4, '0')).join('');
  return digits.replace(/.{8}(?=.)/g, '$& ');
}

describe('an address is read', () => {
  test.each([
    ['10.0.0.1', '00000000 00000000 0000ffff 0a000001'],
    ['255.255.255.255', '00000000 00000000 0000ffff ffffffff'],
    ['::ffff:10.0.0.1', '00000000 00000000 0000ffff 0a000001'],
    ['::FFFF:0a00:1', '00000000 00000000 0000ffff 0a000001'],
    ['0:0:0:0:0:ffff:10.0.0.1', '00000000 00000000 0000ffff 0a000001'],
    ['::', '00000000 00000000 00000000 00000000'],
    ['::1', '00000000 00000000 00000000 00000001'],
    ['1::', '00010000 00000000 00000000 00000000'],
    ['::10.0.0.1', '00000000 00000000 00000000 0a000001'],
    ['2001:db8::8:800:200c:417a', '20010db8 00000000 00080800 200c417a'],
    ['2001:db8:0:0:8:800:200c:417a', '20010db8 00000000 00080800 200c417a'],
    ['1:2:3:4:5:6:7::', '00010002 00030004 00050006 00070000'],
    ['::2:3:4:5:6:7:8', '00000002 00030004 00050006 00070008'],
    ['1:2:3:4:5:6:127.0.0.1', '00010002 00030004 00050006 7f000001'],
  ])('%s', (address, block) => {
    expect(blockOf(address)).toBe(block);
  });

  test('without its zone, which says where it was seen and not who it is', () => {
    expect(blockOf('fe80::1%eth0')).toBe(blockOf('fe80::1'));
    expect(blockOf('::ffff:10.0.0.1%1')).toBe(blockOf('10.0.0.1'));
  });
});

describe('no address is', () => {
  test.each([
    '',
    'a',
    '1',
    '10.0.0',
    '10.0.0.',
    '10.0.0.1.',
    '.10.0.0.1',
    '10.0.0.256',
    '10.0.0.01',
    '10.0.0.1000',
    '10..0.1',
    '10.0.0.-1',
    '10.0.0.1 ',
    ' 10.0.0.1',
    '10.0.0.1%eth0',
    '10.0.0.1:80',
    ':',
    ':::',
    ':1',
    '1:',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    '::1%',
    '::1%a b',
    '::1.2.3',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3.4:5',
    '::1.2.3.4%',
    ':1.2.3.4',
    'unix:/run/app.sock',
    '１0.0.0.1',
    '10.0.0.1\u0000',
    '::ffff:010.0.0.1',
  ])('%j', (text) => {
    expect(blockOf(text)).toBe(undefined);
    expect(plainly(text)).toBe(undefined);
  });
});

describe('of a block', () => {
  test.each([
    [{ ipv4: 24, ipv6: 64 }, '10.1.2.3', '00000000 00000000 0000ffff 0a010200'],
    [{ ipv4: 1, ipv6: 64 }, '192.0.2.1', '00000000 00000000 0000ffff 80000000'],
    [{ ipv4: 31, ipv6: 64 }, '10.1.2.3', '00000000 00000000 0000ffff 0a010202'],
    [{ ipv4: 24, ipv6: 64 }, '::ffff:10.1.2.3', '00000000 00000000 0000ffff 0a010200'],
    [{ ipv4: 24, ipv6: 64 }, '2001:db8:1:2:3:4:5:6', '20010db8 00010002 00000000 00000000'],
    [{ ipv4: 24, ipv6: 56 }, '2001:db8:1:2ff:3:4:5:6', '20010db8 00010200 00000000 00000000'],
    [{ ipv4: 24, ipv6: 1 }, 'ffff::', '80000000 00000000 00000000 00000000'],
    [{ ipv4: 24, ipv6: 127 }, '::3', '00000000 00000000 00000000 00000002'],
    [{ ipv4: 24, ipv6: 33 }, 'ffff:ffff:ffff::', 'ffffffff 80000000 00000000 00000000'],
  ])('%j, %s has its leading bits only', (granularity, address, block) => {
    expect(blockOf(address, granularity)).toBe(block);
  });

  test('an IPv4 client is never one of IPv6', () => {
    expect(blockOf('0.0.0.1', { ipv4: 1, ipv6: 1 })).not.toBe(blockOf('::1', { ipv4: 1, ipv6: 1 }));
  });
});

const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((each) => each.join('.'));
const groups = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((each) => each.map((group) => group.toString(16)).join(':'));
const squeezed = fc.tuple(groups, fc.nat(7), fc.nat(7)).map(([text, from, count]) => {
  const parts = text.split(':');
  return `${parts.slice(0, from).join(':')}::${parts.slice(from + count + 1).join(':')}`;
});
const spoiled = fc
  .tuple(
    fc.oneof(
      octets,
      groups,
      squeezed,
      octets.map((each) => `::ffff:${each}`),
    ),
    fc.nat(40),
    fc.constantFrom(...':.%0a1fgG-', '::', ''),
    fc.nat(2),
  )
  .map(([text, at, piece, length]) => text.slice(0, at) + piece + text.slice(at + length));

test('reads what the core reads, and nothing else', () => {
  const texts = fc.oneof(
    octets,
    groups,
    squeezed,
    spoiled,
    fc.string({ unit: fc.constantFrom(...':.%019afg'), maxLength: 20 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(blockOf(text)).toBe(plainly(text));
    }),
    { seed: 1, numRuns: 5000 },
  );
});

test('what a failed reading leaves does not leak into the next one', () => {
  const blocks = new AddressBlocks(exact);
  expect([blocks.read('1:2:3:4:5:6:7:x'), blocks.read('::1')]).toEqual([false, true]);
  expect(Array.from(blocks.words)).toEqual([0, 0, 0, 1]);
});
