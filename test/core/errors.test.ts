import { describe, expect, test } from 'vitest';
import { EvenkeelError, InUseError, NotFoundError, describe as picture, SpecError } from '../../src/core/errors.ts';
import { InconclusiveError } from '../../src/health/inconclusive-error.ts';

describe('every error', () => {
  for (const [error, name, code] of [
    [new SpecError('a', 1, 'two'), 'SpecError', 'ERR_EVENKEEL_SPEC'],
    [new NotFoundError('a'), 'NotFoundError', 'ERR_EVENKEEL_NOT_FOUND'],
    [new InUseError('ERR_EVENKEEL_IN_USE', 'in use'), 'InUseError', 'ERR_EVENKEEL_IN_USE'],
    [new InconclusiveError('busy'), 'InconclusiveError', 'ERR_EVENKEEL_PROBE'],
  ] as const) {
    test(`of class ${name} is an EvenkeelError with a name and a code`, () => {
      expect([error instanceof EvenkeelError, error instanceof Error, error.name, error.code]).toEqual([
        true,
        true,
        name,
        code,
      ]);
    });
  }
});

describe('the message of a SpecError', () => {
  test('names the path, what was expected and the value', () => {
    expect(new SpecError('pool.members[1].weight', 300, 'an integer from 0 to 256').message).toBe(
      'pool.members[1].weight: expected an integer from 0 to 256, got 300',
    );
  });

  test('calls a spec that is wrong as a whole the spec', () => {
    expect(new SpecError('', null, 'an object').message).toBe('spec: expected an object, got null');
  });

  test('escapes control characters of the value', () => {
    expect(new SpecError('name', 'a\r\nb\u2028c\u0085', 'x').message).toBe(
      "name: expected x, got 'a\\u000d\\u000ab\\u2028c\\u0085'",
    );
  });

  test('escapes control characters of the path', () => {
    expect(new SpecError('we\nird', 1, 'x').message).toBe('we\\u000aird: expected x, got 1');
  });

  test('cuts a long value short', () => {
    expect(new SpecError('name', 'x'.repeat(10_000), 'y').message.length).toBeLessThan(150);
  });
});

describe('a value in a message', () => {
  for (const [value, text] of [
    [undefined, 'undefined'],
    [null, 'null'],
    ['text', "'text'"],
    [Number.NaN, 'NaN'],
    [12n, '12'],
    [true, 'true'],
    [Symbol('s'), 'a symbol'],
    [[1, 2], 'an array of 2'],
    [{ a: 1 }, 'an object'],
    [() => 1, 'a function'],
    [Object.create(null), 'an object'],
  ] as const) {
    test(`is shown as ${text}`, () => {
      expect(picture(value)).toBe(text);
    });
  }
});
