import { describe, expect, test } from 'vitest';
import { mayBeShared } from '../../../src/persistence/cookies/cacheability.ts';

function shared(fields: Readonly<Record<string, string>>, method = 'GET', status = 200): boolean {
  return mayBeShared({ method, status, header: (name) => fields[name] });
}

const lastModified = 'Thu, 01 Jan 2009 00:00:00 GMT';

// Whether HAProxy 2.6.12 adds `Cache-control: private` beside a cookie under `nocache`, tried out.
describe('as HAProxy has it', () => {
  test.each([
    [{}, false],
    [{ 'cache-control': 'public, max-age=60' }, true],
    [{ 'cache-control': 'max-age=60' }, true],
    [{ 'cache-control': 's-maxage=60' }, true],
    [{ 'cache-control': 'no-store' }, false],
    [{ 'cache-control': 'private' }, false],
    [{ 'cache-control': 'public, private' }, false],
    [{ 'cache-control': 'private, public' }, false],
    [{ 'cache-control': 'no-cache' }, false],
    [{ 'cache-control': 'max-age=0' }, false],
    [{ 'cache-control': 's-maxage=0' }, false],
    [{ 'cache-control': 'no-cache="set-cookie"' }, false],
    [{ pragma: 'no-cache' }, false],
    [{ expires: 'Thu, 01 Jan 2099 00:00:00 GMT' }, true],
    [{ etag: '"x"' }, true],
    [{ 'last-modified': lastModified }, true],
  ])('%j may be shared: %j', (fields, may) => {
    expect(shared(fields)).toBe(may);
  });

  test('an answer to POST may not', () => {
    expect(shared({ 'cache-control': 'public, max-age=60' }, 'POST')).toBe(false);
    expect(shared({ 'cache-control': 'public, max-age=60' }, 'HEAD')).toBe(true);
  });
});

describe('beyond HAProxy, by RFC 9111', () => {
  test('public alone is enough, with any status', () => {
    expect(shared({ 'cache-control': 'public' })).toBe(true);
    expect(shared({ 'cache-control': 'public' }, 'GET', 302)).toBe(true);
  });

  test('a lifetime of its own counts before the one for everybody', () => {
    expect(shared({ 'cache-control': 'max-age=0, s-maxage=60' })).toBe(true);
    expect(shared({ 'cache-control': 'max-age=60, s-maxage=0' })).toBe(false);
  });

  test('an answer that is not final may not', () => {
    expect(shared({ 'cache-control': 'max-age=60' }, 'GET', 101)).toBe(false);
  });

  test.each([
    [200, true],
    [206, true],
    [301, true],
    [308, true],
    [404, true],
    [410, true],
    [501, true],
    [201, false],
    [302, false],
    [304, true],
    [403, false],
    [500, false],
    [101, false],
  ])('with a validator only, %d may be shared: %j', (status, may) => {
    expect(shared({ 'last-modified': lastModified }, 'GET', status)).toBe(may);
  });
});

describe('directives', () => {
  test.each([
    ['Max-Age=60', true],
    ['max-age="60"', true],
    ['PRIVATE', false],
    ['public,private', false],
    ['max-age=60, private="set-cookie"', true],
    ['max-age=60, x="private, no-store"', true],
    ['max-age=60, x="a\\", private"', true],
    ['max-age=60;no-store', false],
    ['max-age=60 , , no-store', false],
    ['max-age=nonsense', false],
  ])('%j are read: %j', (control, may) => {
    expect(shared({ 'cache-control': control })).toBe(may);
  });

  test('pragma is for those that do not know cache-control', () => {
    expect(shared({ pragma: 'no-cache', 'cache-control': 'max-age=60' })).toBe(true);
    expect(shared({ pragma: ' No-Cache ', etag: '"x"' })).toBe(false);
  });
});
