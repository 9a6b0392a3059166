import { describe, expect, test } from 'vitest';
import { fieldOf } from '../../src/http1/field-of.ts';

const head =
  'GET /a:b HTTP/1.1\r\nHost: a.example\r\nX-User:  anna \r\nCookie: a=1\r\nAccept: x\r\ncookie: b=2\r\naccept: y\r\nX-Empty:\r\n\r\n';

describe('a field of a head', () => {
  const rows: readonly [string, string | undefined][] = [
    ['host', 'a.example'],
    ['x-user', 'anna'],
    ['cookie', 'a=1; b=2'],
    ['accept', 'x, y'],
    ['x-empty', ''],
    ['user', undefined],
    ['x-use', undefined],
    ['get /a', undefined],
    ['', undefined],
  ];
  for (const [name, value] of rows) {
    test(`'${name}' is ${value === undefined ? 'not there' : `'${value}'`}`, () => {
      expect(fieldOf(head, name)).toBe(value);
    });
  }
});
