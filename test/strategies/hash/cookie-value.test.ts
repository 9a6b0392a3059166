import { describe, expect, test } from 'vitest';
import { cookieValue } from '../../../src/strategies/hash/cookie-value.ts';

describe('the value of cookie sid', () => {
  for (const [field, value] of [
    ['sid=abc', 'abc'],
    ['a=1; sid=abc; b=2', 'abc'],
    ['a=1;sid=abc', 'abc'],
    ['sid="abc"', 'abc'],
    [' \tsid\t= abc ;b=2', 'abc'],
    ['sid=first; sid=second', 'first'],
    ['sid=a=b==', 'a=b=='],
    ['sid=', ''],
    ['sid=""', ''],
    ['sid="', '"'],
    ['sid=a b', 'a b'],
    ['sidewinder=1; sid=abc', 'abc'],
    ['xsid=1', undefined],
    ['SID=abc', undefined],
    ['sid', undefined],
    ['sid; sid=abc', 'abc'],
    ['a=sid=abc', undefined],
    ['', undefined],
    [';;; ;', undefined],
    ['a=1; sid', undefined],
    ['sid;=x', undefined],
  ] as const) {
    test(`in ${JSON.stringify(field)} is ${JSON.stringify(value)}`, () => {
      expect(cookieValue(field, 'sid')).toBe(value);
    });
  }
});
