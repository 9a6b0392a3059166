import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  firstCookie,
  isRemoval,
  pathMatches,
  setCookieValue,
  withoutCookie,
} from '../../../src/persistence/cookies/cookie-field.ts';
import { cookieValue } from '../../../src/strategies/hash/cookie-value.ts';

const anyOf = (field: string, name = 'SRV'): string | undefined => firstCookie(field, name, (value) => value);

// What HAProxy 2.6.12 passes on to a server under `cookie SRV insert indirect nocache`, tried out.
describe('as under HAProxy, what is left without the cookie SRV', () => {
  test.each([
    ['SRV=s2', ''],
    ['a=1; SRV=server-one', 'a=1'],
    ['SRV=server-one; a=1', 'a=1'],
    ['a=1; SRV=server-one; b=2', 'a=1; b=2'],
    ['SRV="server-one"', ''],
    ['SRV=x; SRV=server-one', ''],
    ['SRVX=1; SRV=server-one', 'SRVX=1'],
    ['xSRV=1', 'xSRV=1'],
    ['srv=server-one; a=1', 'srv=server-one; a=1'],
    ['SRV=; a=1', 'a=1'],
    ['SRV; a=1', 'SRV; a=1'],
    ['b=2; SRV=x', 'b=2'],
    ['SRV=server-one;', ''],
    ['; SRV=server-one', ''],
    ['SRV=server-one~x', ''],
  ])('of %j is %j', (field, rest) => {
    expect(withoutCookie(field, 'SRV')).toBe(rest);
  });

  // HAProxy writes these with one blank behind each semicolon and none elsewhere; here, what stays is as it came.
  test.each([
    ['a=1;SRV=x;b=2', 'a=1;b=2'],
    ['a=1 ; SRV = server-one ; b=2', 'a=1 ; b=2'],
    ['a=1\t;\tSRV\t=\tx\t', 'a=1'],
  ])('of %j is %j but for blanks', (field, rest) => {
    expect(withoutCookie(field, 'SRV')).toBe(rest);
  });

  // RFC 6265 knows neither commas nor quotes nor `$Version`, and browsers go by it.
  test.each([
    ['a=1,SRV=server-one; b=2', 'a=1,SRV=server-one; b=2'],
    ['a="x; SRV=server-one"', 'a="x'],
    ['$Version=1; SRV=server-one', '$Version=1'],
  ])('of %j is %j by RFC 6265', (field, rest) => {
    expect(withoutCookie(field, 'SRV')).toBe(rest);
  });
});

describe('the first cookie of a name', () => {
  test.each([
    ['SRV=a', 'a'],
    ['b=1; SRV=a', 'a'],
    [' SRV = a ', 'a'],
    ['SRV="a"', 'a'],
    ['SRV="', '"'],
    ['SRV=a=b', 'a=b'],
    ['SRV=', ''],
    ['SRV=;', ''],
    ['SRV', undefined],
    ['SRVX=a', undefined],
    ['XSRV=a', undefined],
    ['srv=a', undefined],
    ['b=SRV=a', undefined],
    ['', undefined],
    [';;', undefined],
  ])('in %j is %j', (field, value) => {
    expect(anyOf(field)).toBe(value);
  });

  test('is the first whose value means something', () => {
    const known = new Map([['x', 'member']]);
    expect(firstCookie('SRV=old; SRV=x; SRV=y', 'SRV', (value) => known.get(value))).toBe('member');
    expect(firstCookie('SRV=old', 'SRV', (value) => known.get(value))).toBe(undefined);
  });

  test('is found as hash strategies find it', () => {
    const field = fc.string({ unit: fc.constantFrom('S', 'R', '=', ';', ' ', '"', '\t', 'a'), maxLength: 30 });
    fc.assert(
      fc.property(field, fc.constantFrom('S', 'SR', 'a'), (text, name) => {
        expect(anyOf(text, name)).toBe(cookieValue(text, name));
      }),
      { seed: 1, numRuns: 3000 },
    );
  });
});

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom('SRV=x', 'SRV = y', ' SRV=z', 'SRV=', 'SRV', '', ' ', 'SRVX=1'),
    fc.string({ unit: fc.constantFrom('S', 'R', 'V', '=', ' ', 'a'), maxLength: 8 }),
  ),
  { maxLength: 10 },
);

test('without a cookie, all others are there as before, in their order', () => {
  const trimmed = (text: string): string[] =>
    text
      .split(';')
      .map((each) => each.trim())
      .filter((each) => each !== '');
  fc.assert(
    fc.property(pieces, (all) => {
      const field = all.join(';');
      const rest = withoutCookie(field, 'SRV');
      expect(trimmed(rest)).toEqual(trimmed(field).filter((pair) => !/^SRV[ \t]*=/.test(pair)));
      expect(anyOf(rest)).toBe(undefined);
      expect(rest === field || rest === rest.replace(/^[ \t;]+|[ \t;]+$/g, '')).toBe(true);
    }),
    { seed: 1, numRuns: 3000 },
  );
});

test('a field of nothing but separators costs no more than its length', () => {
  const field = `${'; '.repeat(200_000)}SRV=x`;
  expect(withoutCookie(field, 'SRV')).toBe('');
  expect(withoutCookie(`a${field}; b`, 'SRV')).toHaveLength(400_002);
});

describe('a Set-Cookie field', () => {
  test.each([
    ['SRV=evil; path=/', 'evil'],
    ['SRV = evil', 'evil'],
    [' SRV=evil;Path=/; HttpOnly', 'evil'],
    ['SRV="evil"', 'evil'],
    ['SRV=', ''],
    ['SRV', undefined],
    ['a=1; path=/', undefined],
    ['a=1; SRV=x', undefined],
    ['SRVX=1', undefined],
    ['', undefined],
  ])('%j gives SRV the value %j', (field, value) => {
    expect(setCookieValue(field, 'SRV')).toBe(value);
  });

  test.each([
    ['s=1; Max-Age=0', true],
    ['s=1; max-age = 0; Path=/', true],
    ['s=1;Max-Age=-1', true],
    ['s=1; Max-Age=00', true],
    ['s=1; Max-Age=', true],
    ['s=1; Max-Age=05', false],
    ['s=1; Max-Age=3600', false],
    ['s=1; x-max-age=0', false],
    ['Max-Age=0', false],
    ['s=1', false],
  ])('%j removes it: %j', (field, isOne) => {
    expect(isRemoval(field)).toBe(isOne);
  });
});

describe('a cookie of a path goes with requests', () => {
  test.each([
    ['/', '/', true],
    ['/', '/a/b', true],
    ['/app', '/app', true],
    ['/app', '/app/', true],
    ['/app', '/app/x', true],
    ['/app', '/apple', false],
    ['/app', '/ap', false],
    ['/app', '/', false],
    ['/app', '/APP', false],
    ['/app/', '/app/x', true],
    ['/app/', '/app', false],
    ['/', '*', false],
  ])('%s: %s %s', (cookiePath, requestPath, goes) => {
    expect(pathMatches(requestPath, cookiePath)).toBe(goes);
  });
});
