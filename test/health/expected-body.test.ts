import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSame } from '../../src/core/spec.ts';
import { judgeFor } from '../../src/health/answer-judge.ts';
import { BodySearch } from '../../src/health/expected-body.ts';
import { readHealthMonitor } from '../../src/health/monitor-spec.ts';
import { makePool, refusalOf } from '../fixtures/core.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function expected(expectBody: string | RegExp): {
  expectBody: string | undefined;
  expectBodyFlags: string | undefined;
} {
  const monitor = readHealthMonitor({ type: 'http', expectBody }, '');
  if (monitor.type !== 'http') throw new Error('an HTTP monitor');
  return monitor;
}

/** What is missing from a body that comes in these pieces. */
function missing(expectBody: string | RegExp, pieces: readonly Uint8Array[]): string | undefined {
  const search = new BodySearch(expected(expectBody));
  for (const piece of pieces) if (search.push(piece)) break;
  return search.end();
}

const cutAt = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.slice(index * size, (index + 1) * size));

describe('a body', () => {
  for (const [body, expectBody, found] of [
    ['all is well', 'well', undefined],
    ['all is well', 'Well', "the body has no 'Well'"],
    ['all is well', /^ALL.*l$/i, undefined],
    ['all is well', /ill/, 'the body does not match /ill/'],
    ['', 'x', "the body has no 'x'"],
    ['', /^$/, undefined],
    ['aab', /b/y, undefined],
    ['{"status":"UP"}', /"status":\s*"UP"/, undefined],
    ['Grüße, 世界 🎉', '世界 🎉', undefined],
    ['aaaaab', 'aab', undefined],
  ] as const) {
    test(`of '${body}' that shall have ${expectBody}: ${found ?? 'fine'}, wherever it is cut`, () => {
      for (const size of [1, 2, 3, 7, 100]) expect(missing(expectBody, cutAt(bytesOf(body), size))).toBe(found);
    });
  }

  test('is looked at up to its 65536th byte and no further', () => {
    const at = (length: number): Uint8Array[] => cutAt(bytesOf(`${'x'.repeat(length - 4)}here`), 1000);
    expect([missing('here', at(65_536)), missing('here', at(65_537))]).toEqual([undefined, "the body has no 'here'"]);
    expect([missing(/here/, at(65_536)), missing(/here/, at(65_537))]).toEqual([
      undefined,
      'the body does not match /here/',
    ]);
  });

  test('need not be waited for once it has the text, nor once it is too long', () => {
    const search = new BodySearch(expected('well'));
    expect([search.push(bytesOf('all is we')), search.push(bytesOf('ll, and'))]).toEqual([false, true]);
    const pattern = new BodySearch(expected(/well/));
    expect([pattern.push(bytesOf('all is well')), pattern.push(new Uint8Array(70_000))]).toEqual([false, true]);
  });

  test('has a text, or not, as a plain search says, however it is cut', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'ü', '🎉'), maxLength: 60 });
    const needle = fc.string({ unit: fc.constantFrom('a', 'b', 'ü', '🎉'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(letters, needle, fc.integer({ min: 1, max: 9 }), (body, text, size) => {
        expect(missing(text, cutAt(bytesOf(body), size)) === undefined).toBe(body.includes(text));
      }),
      { seed: 5 },
    );
  });
});

describe('an answer whose body is judged', () => {
  /** The finding after all of it, and the member's end where that was needed. */
  function judged(answer: string, size: number, expectedCodes = '200', expectBody: string | RegExp = 'well'): string {
    const judge = judgeFor({ expectedCodes, ...expected(expectBody) });
    for (const piece of cutAt(bytesOf(answer), size)) {
      const finding = judge.read(piece);
      if (finding !== 'more') return finding === 'fine' ? 'fine' : finding.wrong;
    }
    const finding = judge.end();
    return finding === 'fine' ? 'fine at the end' : finding.wrong;
  }

  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  for (const [name, answer, found] of [
    ['of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell', 'fine'],
    ['that ends with its connection', 'HTTP/1.0 200 OK\r\n\r\nall is well', 'fine'],
    ['in chunks, within the text', `${chunked}2\r\nwe\r\n2\r\nll\r\n0\r\n\r\n`, 'fine'],
    [
      'in chunks, whose sizes are no part of it',
      `${chunked}3\r\nwe4\r\n2\r\nll\r\n0\r\n\r\n`,
      "the body has no 'well'",
    ],
    ['without the text', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nill', "the body has no 'well'"],
    ['without a body', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', "the body has no 'well'"],
    [
      'with the text in its head only',
      'HTTP/1.1 200 well\r\nX: well\r\nContent-Length: 0\r\n\r\n',
      "the body has no 'well'",
    ],
    ['of another status', 'HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nwell', 'answered 503, expected 200'],
    [
      'behind an interim one',
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell',
      'fine',
    ],
    ['that is cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nill', 'closed within the answer'],
    ['that is cut short in its head', 'HTTP/1.1 200 OK\r\nContent-', 'closed within the answer'],
    ['that is none', '', 'closed without an answer'],
    ['that is not HTTP', 'SSH-2.0-OpenSSH\r\n', 'an answer that does not start with HTTP/1.'],
  ] as const) {
    test(`${name}: ${found}, wherever it is cut`, () => {
      for (const size of [1, 2, 5, 1000]) expect(judged(answer, size)).toBe(found);
    });
  }

  test('and that ends with its connection is searched for a pattern when it has ended', () => {
    expect(judged('HTTP/1.0 200 OK\r\n\r\nall is well', 3, '200', /well$/)).toBe('fine at the end');
  });

  test('is judged without its end where its status is not expected', () => {
    const judge = judgeFor({ expectedCodes: '200', ...expected('well') });
    const finding = judge.read(bytesOf('HTTP/1.1 500 Oh\r\nContent-Length: 1000000\r\n\r\n'));
    expect(finding).toEqual({ wrong: 'answered 500, expected 200', isHttp: true });
  });
});

describe('expectBody', () => {
  for (const [value, shown] of [
    ['', 'a text of 1 to 4096 characters or a RegExp'],
    ['x'.repeat(4097), 'a text of 1 to 4096 characters or a RegExp'],
    [5, 'a text of 1 to 4096 characters or a RegExp'],
  ] as const) {
    test(`is refused as ${String(value).slice(0, 9)}`, () => {
      expect(refusalOf(() => readHealthMonitor({ type: 'http', expectBody: value }, '')).expected).toBe(shown);
    });
  }

  for (const httpMethod of ['HEAD', 'CONNECT'] as const) {
    test(`is refused with ${httpMethod}, whose answer has no body`, () => {
      const refusal = refusalOf(() => readHealthMonitor({ type: 'http', httpMethod, expectBody: 'x' }, ''));
      expect(refusal.path).toBe('expectBody');
    });
  }

  test('is compared by what it says, so that an update with the same pattern changes nothing', () => {
    const read = (expectBody: string | RegExp) => readHealthMonitor({ type: 'http', expectBody }, '');
    expect(isSame(read(/a/i), read(/a/i))).toBe(true);
    expect(isSame(read(/a/i), read(/a/))).toBe(false);
    expect(isSame(read(/a/), read('a'))).toBe(false);
    const pool = makePool({ healthMonitor: { type: 'http', expectBody: /a/ } });
    const before = pool.healthMonitor;
    pool.update({ healthMonitor: { type: 'http', expectBody: /a/ } });
    expect(pool.healthMonitor).toBe(before);
  });
});
