import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  localHeader,
  type ProxyHeader,
  relayedHeader,
  unspecifiedHeader,
} from '../../src/proxy-protocol/proxy-header.ts';
import type { ProxyTlvs } from '../../src/proxy-protocol/tlvs.ts';
import { writeProxyHeader } from '../../src/proxy-protocol/write-proxy-header.ts';
import { parsePlainly } from './plain-parser.ts';
import { ascii, concat, headerIn, hex, pieces, readPieces, tlv, version2 } from './wire.ts';

const seed = 20_261_124;
const runs = { seed, numRuns: 2000 };

const port = fc.oneof(fc.constantFrom(0, 1, 65535), fc.nat(65535));
const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => octets.join('.'));
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(':'));
const mapped = ipv4.map((address) => `::ffff:${address}`);
const address = fc.oneof(ipv4, ipv6, mapped);
const ip = fc.record({ address, port });
const unix = fc
  .string({ unit: fc.constantFrom('/', 'a', '.', '@', 'ä', '€'), maxLength: 36 })
  .map((path) => ({ address: `unix:${path.replace(/^@$/, '')}`, port: 0 }));
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const text = fc.option(
  fc.string({ unit: fc.constantFrom('a', '.', 'ä', '€', '😀', ' '), minLength: 1, maxLength: 60 }),
  {
    nil: undefined,
  },
);
const tlvs: fc.Arbitrary<ProxyTlvs> = fc.record({
  alpn: text,
  authority: text,
  uniqueId: fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }), { nil: undefined }),
  tls: fc.option(
    fc.record({
      isOverTls: fc.boolean(),
      hasCertificate: fc.boolean(),
      hasSessionCertificate: fc.boolean(),
      verifyResult: fc.nat(0xffffffff),
      version: text,
      commonName: text,
      cipher: text,
      signatureAlgorithm: text,
      keyAlgorithm: text,
    }),
    { nil: undefined },
  ),
  netns: text,
  hasChecksum: fc.boolean(),
  others: fc.array(fc.record({ type: fc.integer({ min: 0xe0, max: 0xff }), value: bytes(40) }), { maxLength: 4 }),
});
const relayed: fc.Arbitrary<ProxyHeader> = fc
  .tuple(fc.constantFrom('tcp', 'udp'), fc.oneof(fc.tuple(ip, ip), fc.tuple(unix, unix)), tlvs)
  .map(([transport, [source, destination], told]) => relayedHeader(transport, source, destination, told));
const header = fc.oneof(
  { weight: 8, arbitrary: relayed },
  { weight: 1, arbitrary: tlvs.map(unspecifiedHeader) },
  { weight: 1, arbitrary: fc.constant(localHeader) },
);

/** Lines and blocks, mostly right, of which others are made. */
const vector = fc.oneof(
  header.map((one) => writeProxyHeader(1, one)),
  { weight: 3, arbitrary: header.map((one) => writeProxyHeader(2, one)) },
  fc
    .tuple(
      fc.constantFrom('TCP4', 'TCP6', 'UNKNOWN', 'TCP'),
      address,
      address,
      fc.nat(70000),
      port,
      fc.constantFrom(' ', '  '),
    )
    .map(([protocol, source, destination, from, to, gap]) =>
      ascii(`PROXY ${protocol} ${source}${gap}${destination} ${from} ${to}\r\n`),
    ),
  fc
    .tuple(
      fc.constantFrom('2111', '2112', '2121', '2131', '2100', '2001', '2141', '2011', '2211'),
      fc.constantFrom(0, 4, 12, 36, 216),
      fc.array(
        fc.oneof(
          fc
            .tuple(fc.constantFrom(1, 2, 3, 4, 5, 0x20, 0x30, 0xe0), bytes(20))
            .map(([type, value]) => tlv(type, value)),
          fc
            .array(fc.tuple(fc.integer({ min: 0x20, max: 0x26 }), bytes(9)), { maxLength: 3 })
            .map((inner) => tlv(0x20, concat(hex('0700000000'), ...inner.map(([type, value]) => tlv(type, value))))),
        ),
        { maxLength: 4 },
      ),
    )
    .map(([start, size, list]) => version2(start, new Uint8Array(size).fill(0x61), ...list)),
);

/** Bytes changed, taken out, doubled or put in; the block's length may follow. */
const mutation = fc.record({
  kind: fc.constantFrom('change', 'flip', 'remove', 'insert', 'double', 'cut', 'length'),
  at: fc.nat(),
  byte: fc.oneof(fc.constantFrom(0, 13, 10, 32, 0x30, 0xff), fc.nat(255)),
});

function mutated(whole: Uint8Array, { kind, at, byte }: { kind: string; at: number; byte: number }): Uint8Array {
  const place = at % (whole.length + 1);
  const [before, after] = [whole.slice(0, place), whole.slice(place)];
  switch (kind) {
    case 'change':
      return concat(before, Uint8Array.of(byte), after.slice(1));
    case 'flip':
      return concat(
        before,
        after.slice(0, 1).map((old) => old ^ (1 << (byte & 7))),
        after.slice(1),
      );
    case 'remove':
      return concat(before, after.slice(1 + (byte & 3)));
    case 'insert':
      return concat(before, Uint8Array.of(byte), after);
    case 'double':
      return concat(before, after.slice(0, byte), after);
    case 'cut':
      return before;
    default:
      return concat(whole.slice(0, 15), Uint8Array.of(byte), whole.slice(16));
  }
}

const input = fc
  .tuple(vector, fc.oneof(fc.constant([]), fc.array(mutation, { minLength: 1, maxLength: 2 })), bytes(20))
  .map(([whole, mutations, behind]) => concat(mutations.reduce(mutated, whole), behind));

/** What the reader comes to, without what the plain parser does not look at. */
function outcome(chunks: readonly Uint8Array[], size: number): object {
  const { progress, left } = readPieces(chunks);
  if (progress.state !== 'done') return { state: progress.state };
  const { family, source, destination } = progress.header;
  return { state: 'done', size: size - left, header: { family, source, destination } };
}

describe('every header', () => {
  test('of version 2 reads back as it was written', () => {
    fc.assert(
      fc.property(header, fc.array(fc.nat(), { maxLength: 5 }), (one, places) => {
        const { progress } = readPieces(pieces(writeProxyHeader(2, one), places));
        const expected = one.family === 'unspec' ? localHeader : one;
        expect(progress).toEqual({ state: 'done', version: 2, header: expected, rest: new Uint8Array(0) });
      }),
      runs,
    );
  });

  test('of version 1 reads back as far as a line can tell', () => {
    fc.assert(
      fc.property(header, (one) => {
        const { family, source, destination } = one;
        const isTold = family === 'tcp4' || family === 'tcp6';
        const line = writeProxyHeader(1, one);
        expect(line.length).toBeLessThanOrEqual(107);
        expect(headerIn(line)).toMatchObject(
          isTold ? { family, source, destination } : { family: 'unspec', source: undefined, destination: undefined },
        );
      }),
      runs,
    );
  });

  test('that was read is written as it was, byte for byte, where it came from here', () => {
    fc.assert(
      fc.property(header, fc.constantFrom(1, 2), (one, version) => {
        // What nobody reads of a header without addresses cannot come back.
        const written = writeProxyHeader(version, one.family === 'unspec' ? localHeader : one);
        expect(writeProxyHeader(version, headerIn(written))).toEqual(written);
      }),
      runs,
    );
  });
});

describe('whatever comes, right or broken', () => {
  test('is understood as the plain parser understands it, in one piece', () => {
    fc.assert(
      fc.property(input, (whole) => {
        expect(outcome([whole.slice()], whole.length)).toEqual(parsePlainly(whole));
      }),
      { seed, numRuns: 6000 },
    );
  });

  test('is understood alike however it is cut', () => {
    fc.assert(
      fc.property(input, fc.array(fc.nat(), { maxLength: 8 }), (whole, places) => {
        const expected = outcome([whole.slice()], whole.length);
        expect(outcome(pieces(whole, places), whole.length)).toEqual(expected);
        expect(
          outcome(
            Array.from(whole, (byte) => Uint8Array.of(byte)),
            whole.length,
          ),
        ).toEqual(expected);
      }),
      runs,
    );
  });

  test('is refused for the same reason however it is cut', () => {
    fc.assert(
      fc.property(input, (whole) => {
        const inOne = readPieces([whole.slice()]).progress;
        const byBytes = readPieces(Array.from(whole, (byte) => Uint8Array.of(byte))).progress;
        if (inOne.state === 'failed') expect(byBytes).toEqual(inOne);
      }),
      runs,
    );
  });
});
