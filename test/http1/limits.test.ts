import { describe, expect, test } from 'vitest';
import { answers, chunked, get, head, limits, ok, only, post, refusal, requests } from '../fixtures/http1.ts';

/** A head of so many bytes. */
function sized(size: number, start = 'GET / HTTP/1.1\r\nHost: a\r\nX: '): string {
  return `${start}${'x'.repeat(size - start.length - 4)}\r\n\r\n`;
}

describe('headSize', () => {
  const settings = { limits: limits({ headSize: 256 }) };
  const tooLarge = '431 a head of more than 256 bytes';

  test('is the size of a whole head, at most', () => {
    expect(only(requests(sized(256), settings)).isComplete).toBe(true);
    expect(refusal(requests(sized(257), settings))).toBe(tooLarge);
    expect(only(answers(sized(256, 'HTTP/1.1 204 X\r\nX: '), settings)).isComplete).toBe(true);
    expect(refusal(answers(sized(257, 'HTTP/1.1 204 X\r\nX: '), settings))).toBe(tooLarge);
  });

  test('is the same for a head that comes byte by byte, or with others', () => {
    expect(only(requests([...sized(256)], settings)).isComplete).toBe(true);
    expect(refusal(requests([...sized(257)], settings))).toBe(tooLarge);
    expect(requests(sized(256) + sized(256), settings).messages).toHaveLength(2);
    expect(refusal(requests(sized(256) + sized(257), settings))).toBe(tooLarge);
  });

  test('is enough to refuse a head that has not come to its end', () => {
    expect(refusal(requests(sized(256).slice(0, -1), settings))).toBeUndefined();
    expect(refusal(requests(sized(257).slice(0, -1), settings))).toBe(tooLarge);
    expect(refusal(requests([...sized(257).slice(0, -1)], settings))).toBe(tooLarge);
  });

  test('does not count what comes behind the head', () => {
    expect(
      only(
        requests(
          `${sized(256, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\nX: ')}${'x'.repeat(300)}`,
          settings,
        ),
      ).isComplete,
    ).toBe(true);
  });

  test('does not count an empty line before the head', () => {
    expect(only(requests(`\r\n${sized(256)}`, settings)).isComplete).toBe(true);
    expect(refusal(requests(`\r\n${sized(257)}`, settings))).toBe(tooLarge);
    expect(only(requests([...`\r\n${sized(256)}`], settings)).isComplete).toBe(true);
  });

  test('is 16384 unless it is changed', () => {
    expect(only(requests(sized(16_384))).isComplete).toBe(true);
    expect(refusal(requests(sized(16_385)))).toBe('431 a head of more than 16384 bytes');
  });

  test('may be a mebibyte', () => {
    const large = { limits: limits({ headSize: 1_048_576, targetSize: 1_048_576 }) };
    expect(only(requests(sized(1_048_576), large)).isComplete).toBe(true);
    expect(refusal(requests(sized(1_048_577), large))).toBe('431 a head of more than 1048576 bytes');
    const target = `/${'x'.repeat(1_048_576 - head('GET / HTTP/1.1', 'Host: a').length)}`;
    expect(only(requests(head(`GET ${target} HTTP/1.1`, 'Host: a'), large)).target).toBe(target);
  });
});

describe('targetSize', () => {
  const settings = { limits: limits({ targetSize: 64 }) };

  function targeted(size: number): string {
    return head(`GET /${'x'.repeat(size - 1)} HTTP/1.1`, 'Host: a');
  }

  test('is the size of a target, at most', () => {
    expect(only(requests(targeted(64), settings)).isComplete).toBe(true);
    expect(refusal(requests(targeted(65), settings))).toBe('414 a target of more than 64 bytes');
  });

  test('is the same for a target that comes byte by byte, or that has not come to its end', () => {
    expect(only(requests([...targeted(64)], settings)).isComplete).toBe(true);
    expect(refusal(requests([...targeted(65)], settings))).toBe('414 a target of more than 64 bytes');
    expect(refusal(requests(`GET /${'x'.repeat(64)}`, settings))).toBe('414 a target of more than 64 bytes');
    expect(refusal(requests(`GET /${'x'.repeat(63)}`, settings))).toBeUndefined();
  });

  test('comes before headSize, so that a client learns what is too long', () => {
    expect(refusal(requests(targeted(20_000)))).toBe('414 a target of more than 8192 bytes');
    expect(refusal(requests([...targeted(20_000)]))).toBe('414 a target of more than 8192 bytes');
  });

  test('is 8192 unless it is changed', () => {
    expect(only(requests(targeted(8192))).isComplete).toBe(true);
    expect(refusal(requests(targeted(8193)))).toBe('414 a target of more than 8192 bytes');
  });
});

describe('headerCount', () => {
  const settings = { limits: limits({ headerCount: 3 }) };

  test('is the number of fields, at most', () => {
    expect(only(requests(get('A: 1', 'B: 2'), settings)).isComplete).toBe(true);
    expect(refusal(requests(get('A: 1', 'B: 2', 'C: 3'), settings))).toBe('431 more than 3 fields');
    expect(only(answers(head('HTTP/1.1 204 X', 'A: 1', 'B: 2', 'C: 3'), settings)).isComplete).toBe(true);
    expect(refusal(answers(head('HTTP/1.1 204 X', 'A: 1', 'B: 2', 'C: 3', 'D: 4'), settings))).toBe(
      '431 more than 3 fields',
    );
  });

  test('is the number of trailer fields too', () => {
    const end = `${post(chunked)}0\r\n`;
    expect(only(requests(`${end}A: 1\r\nB: 2\r\nC: 3\r\n\r\n`, settings)).trailer).toBe('A: 1\r\nB: 2\r\nC: 3\r\n');
    expect(refusal(requests(`${end}A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n`, settings))).toBe('431 more than 3 fields');
  });

  test('is 101 unless it is changed', () => {
    const fields = Array.from({ length: 101 }, (_, index) => `X-${index}: 1`);
    expect(only(requests(get(...fields.slice(1)))).isComplete).toBe(true);
    expect(refusal(requests(get(...fields)))).toBe('431 more than 101 fields');
  });
});

describe('trailerSize', () => {
  const end = `${post(chunked)}0\r\n`;

  function trailer(size: number): string {
    return `X: ${'x'.repeat(size - 5)}\r\n`;
  }

  test('is the size of all trailer fields, at most', () => {
    const settings = { limits: limits({ trailerSize: 20 }) };
    expect(only(requests(`${end}${trailer(20)}\r\n`, settings)).trailer).toBe(trailer(20));
    expect(only(requests(`${end}${trailer(10)}${trailer(10)}\r\n`, settings)).isComplete).toBe(true);
    expect(refusal(requests(`${end}${trailer(21)}\r\n`, settings))).toBe('431 a trailer of more than 20 bytes');
    expect(refusal(requests(`${end}${trailer(10)}${trailer(11)}\r\n`, settings))).toBe(
      '431 a trailer of more than 20 bytes',
    );
  });

  test('is the same for a trailer that comes byte by byte', () => {
    const settings = { limits: limits({ trailerSize: 20 }) };
    expect(only(requests([...`${end}${trailer(20)}\r\n`], settings)).trailer).toBe(trailer(20));
    expect(refusal(requests([...`${end}${trailer(21)}\r\n`], settings))).toBe('431 a trailer of more than 20 bytes');
    expect(refusal(requests([...`${end}${'x'.repeat(30)}`], settings))).toBe('431 a trailer of more than 20 bytes');
  });

  test('is enough to refuse a trailer that has not come to its end', () => {
    const settings = { limits: limits({ trailerSize: 20 }) };
    expect(refusal(requests(`${end}${trailer(21)}`, settings))).toBeUndefined();
    expect(refusal(requests(`${end}${trailer(21)}\r`, settings))).toBe('431 a trailer of more than 20 bytes');
  });

  test('may be 0, for none', () => {
    const settings = { limits: limits({ trailerSize: 0 }) };
    expect(only(requests(`${end}\r\n`, settings)).isComplete).toBe(true);
    expect(refusal(requests(`${end}X:\r\n\r\n`, settings))).toBe('431 a trailer of more than 0 bytes');
  });

  test('is 8192 unless it is changed', () => {
    expect(only(requests(`${end}${trailer(8192)}\r\n`)).isComplete).toBe(true);
    expect(refusal(requests(`${end}${trailer(8193)}\r\n`))).toBe('431 a trailer of more than 8192 bytes');
  });

  test('may be a mebibyte, of a single field', () => {
    const settings = { limits: limits({ trailerSize: 1_048_576 }) };
    expect(only(requests(`${end}${trailer(1_048_576)}\r\n`, settings)).trailer).toBe(trailer(1_048_576));
  });

  test('does not depend on headSize', () => {
    const settings = { limits: limits({ headSize: 256 }) };
    expect(only(requests(`${end}${trailer(8192)}\r\n`, settings)).isComplete).toBe(true);
    expect(only(requests([...`${end}${trailer(600)}\r\n`], settings)).isComplete).toBe(true);
  });
});

describe('chunkExtensionSize', () => {
  const settings = { limits: limits({ chunkExtensionSize: 10 }) };
  const tooLarge = '400 chunk extensions of more than 10 bytes';

  function extended(...sizes: readonly number[]): string {
    return `${post(chunked)}${sizes.map((size) => `1;${'x'.repeat(size)}\r\na\r\n`).join('')}0\r\n\r\n`;
  }

  test('is the size of all extensions of a message together, at most', () => {
    expect(only(requests(extended(10), settings)).isComplete).toBe(true);
    expect(only(requests(extended(3, 3, 4), settings)).isComplete).toBe(true);
    expect(refusal(requests(extended(11), settings))).toBe(tooLarge);
    expect(refusal(requests(extended(3, 3, 5), settings))).toBe(tooLarge);
    expect(refusal(answers(`${ok(chunked)}1;${'x'.repeat(11)}\r\na\r\n0\r\n\r\n`, settings))).toBe(tooLarge);
  });

  test('is the same for what comes byte by byte', () => {
    expect(only(requests([...extended(3, 3, 4)], settings)).isComplete).toBe(true);
    expect(refusal(requests([...extended(3, 3, 5)], settings))).toBe(tooLarge);
    expect(refusal(requests([...`${post(chunked)}1;${'x'.repeat(11)}`], settings))).toBe(tooLarge);
  });

  test('counts anew with each message', () => {
    expect(refusal(requests(extended(10) + extended(10), settings))).toBeUndefined();
  });

  test('may be 0, for none', () => {
    const none = { limits: limits({ chunkExtensionSize: 0 }) };
    expect(only(requests(extended(0), none)).isComplete).toBe(true);
    expect(refusal(requests(extended(1), none))).toBe('400 chunk extensions of more than 0 bytes');
  });

  test('is 1024 unless it is changed', () => {
    expect(only(requests(extended(1024))).isComplete).toBe(true);
    expect(refusal(requests(extended(1025)))).toBe('400 chunk extensions of more than 1024 bytes');
  });
});
