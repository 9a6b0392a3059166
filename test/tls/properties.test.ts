import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, pieces } from '../proxy-protocol/wire.ts';
import { parsePlainly } from './plain-hello.ts';
import * as recorded from './recorded-hellos.ts';
import {
  bytesOneByOne,
  extension,
  message,
  number,
  protocols,
  read,
  readPieces,
  records,
  serverNames,
  versions,
} from './wire.ts';

const seed = 20_261_124;

const name = fc.oneof(
  fc.constantFrom('a.example', 'A.Example.', 'localhost', '192.0.2.1', '2001:db8::1', '-a', 'a..b', '1.2', 'a\0b'),
  fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '_', '.'), minLength: 1, maxLength: 70 }),
);
const protocol = fc.oneof(
  fc.constantFrom('h2', 'http/1.1', 'zz', '\n\n', '\xfa\xfa', 'za', ''),
  fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 8 }),
);
const version = fc.oneof(fc.constantFrom(0x0304, 0x0303, 0x0a0a, 0xfafa, 0x0a1a), fc.nat(0xffff));
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

const anyExtension = fc.oneof(
  { weight: 3, arbitrary: name.map((one) => serverNames(one)) },
  fc.array(fc.tuple(fc.constantFrom(0, 0, 7), name), { maxLength: 3 }).map((list) => serverNames(...list)),
  { weight: 3, arbitrary: fc.array(protocol, { maxLength: 4 }).map((list) => protocols(...list)) },
  { weight: 3, arbitrary: fc.array(version, { maxLength: 4 }).map((list) => versions(...list)) },
  fc.tuple(fc.constantFrom(0, 16, 43, 0xfe0d), bytes(12)).map(([type, data]) => extension(type, data)),
  fc.tuple(fc.nat(0xffff), bytes(12)).map(([type, data]) => extension(type, data)),
);
const made = fc
  .record({
    version: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(0x0300, 0x0301, 0x0303, 0x0304) }, fc.nat(0xffff)),
    sessionId: fc.constantFrom(0, 0, 32, 32, 33).map((size) => new Uint8Array(size)),
    cipherSuites: fc.constantFrom(2, 30, 30, 30, 3, 0).map((size) => new Uint8Array(size)),
    compressionMethods: fc.constantFrom(1, 1, 1, 2, 0).map((size) => new Uint8Array(size)),
    extensions: fc.option(fc.array(anyExtension, { maxLength: 5 }), { nil: undefined }),
    behind: fc.oneof({ weight: 9, arbitrary: fc.constant(new Uint8Array(0)) }, bytes(3)),
  })
  .map(message);
const whole = fc.oneof(
  { weight: 4, arbitrary: made },
  fc.constantFrom(...Object.values(recorded)).map((one) => one.slice(5)),
);

/** Cut into records, now and then very small ones. */
const cut = fc.tuple(whole, fc.constantFrom(16_384, 16_384, 1, 7, 100)).map(([one, size]) => records(one, size));

const mutation = fc.record({
  kind: fc.constantFrom('change', 'flip', 'remove', 'insert', 'double', 'cut', 'length'),
  at: fc.nat(),
  byte: fc.oneof(fc.constantFrom(0, 1, 3, 22, 0xff), fc.nat(255)),
});

function mutated(one: Uint8Array, { kind, at, byte }: { kind: string; at: number; byte: number }): Uint8Array {
  const place = at % (one.length + 1);
  const [before, after] = [one.slice(0, place), one.slice(place)];
  switch (kind) {
    case 'change':
      return concat(before, number(1, byte), after.slice(1));
    case 'flip':
      return concat(
        before,
        after.slice(0, 1).map((old) => old ^ (1 << (byte & 7))),
        after.slice(1),
      );
    case 'remove':
      return concat(before, after.slice(1 + (byte & 3)));
    case 'insert':
      return concat(before, number(1, byte), after);
    case 'double':
      return concat(before, after.slice(0, byte), after);
    case 'cut':
      return before;
    default:
      // The lengths of the first record, of its message and of what is in it.
      return concat(one.slice(0, 4 + (at % 70)), number(1, byte), one.slice(5 + (at % 70)));
  }
}

const input = fc
  .tuple(
    cut,
    fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(mutation, { minLength: 1, maxLength: 2 })),
    bytes(8),
  )
  .map(([one, mutations, behind]) => concat(mutations.reduce(mutated, one), behind));

/** Without the reason, which the plain parser does not tell. */
function outcome(progress: ReturnType<typeof read>): object {
  return progress.state === 'failed' ? { state: 'failed' } : progress;
}

describe('whatever comes, right or broken', () => {
  test('is understood as the plain parser understands it, in one piece', () => {
    fc.assert(
      fc.property(input, (one) => {
        expect(outcome(read(one))).toEqual(parsePlainly(one));
      }),
      { seed, numRuns: 6000 },
    );
  });

  test('is understood alike, and refused for the same reason, however it is cut', () => {
    fc.assert(
      fc.property(input, fc.array(fc.nat(), { maxLength: 8 }), (one, places) => {
        const expected = read(one);
        expect(readPieces(pieces(one, places))).toEqual(expected);
        expect(readPieces(bytesOneByOne(one))).toEqual(expected);
      }),
      { seed, numRuns: 1500 },
    );
  });

  test('comes to an end within the limit', () => {
    fc.assert(
      fc.property(input, fc.integer({ min: 20, max: 300 }), (one, maximumSize) => {
        const padded = concat(one, new Uint8Array(Math.max(0, maximumSize + 1 - one.length)));
        const progress = read(padded, { maximumSize });
        expect(progress.state).not.toBe('more');
        expect(outcome(progress)).toEqual(parsePlainly(padded, maximumSize));
      }),
      { seed, numRuns: 3000 },
    );
  });
});
