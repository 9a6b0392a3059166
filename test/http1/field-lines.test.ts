import { describe, expect, test } from 'vitest';
import { forwarded, get, only, refusal, requests } from '../fixtures/http1.ts';

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const allBytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

describe('a field line', () => {
  test('goes on as it came, blanks and all', () => {
    const fields = [
      'X:y',
      'X:  y',
      'X:\ty',
      'X: y ',
      'X: y\t',
      'X:',
      'X: ',
      'X: a  b',
      'x: caf\xe9',
      'X: "a, b"',
      'X: a:b',
      'X: \xff',
    ];
    expect(forwarded(get(...fields))).toBe(get(...fields));
  });

  test('has a value without the blanks around it', () => {
    expect(only(requests(get('A:b', 'A: \t b\t ', 'A: b c', 'A:', 'A: \t '))).fields.slice(1)).toEqual([
      ['A', 'b'],
      ['A', 'b'],
      ['A', 'b c'],
      ['A', ''],
      ['A', ''],
    ]);
  });

  test('has a token for a name, of which every byte is looked at', () => {
    const allowed = allBytes.filter((byte) => requests(get(`X${byte}Y: z`)).error === undefined);
    expect(allowed.join('')).toBe([...tokenCharacters, ':'].sort().join(''));
  });

  test('has no control in its value but tabs, and every byte is looked at', () => {
    const refused = allBytes.filter((byte) => requests(get(`X: y${byte}z`)).error !== undefined);
    expect(refused).toEqual(allBytes.filter((byte) => (byte < ' ' && byte !== '\t') || byte === '\x7f'));
  });

  for (const [lines, reason] of [
    ['X : y', 'a blank before the colon'],
    ['X\t: y', 'a blank before the colon'],
    ['X y', 'a blank before the colon'],
    ['X: y\r\n z', 'a folded line'],
    ['X: y\r\n\tz', 'a folded line'],
    ['X: y\r\n ', 'a folded line'],
    [': y', 'a field without a name'],
    ['X', 'a character that no field name may have'],
    ['X\0: y', 'a character that no field name may have'],
    ['(X): y', 'a field without a name'],
    ['X: y\0', 'a control character in a field value'],
    ['X: y\nZ: 1', 'a control character in a field value'],
    ['X: y\rZ: 1', 'a CR without its LF'],
    ['X: y\r\r', 'a CR without its LF'],
    ['X: y\r\n\nZ: 1', 'an LF without its CR'],
    ['X: y\r\n\rZ: 1', 'a CR without its LF'],
  ] as const) {
    test(`is not ${JSON.stringify(lines)}: ${reason}`, () => {
      expect(refusal(requests(get(lines)))).toBe(`400 ${reason}`);
    });
  }

  test('that is folded is refused where it is the first', () => {
    expect(refusal(requests('GET / HTTP/1.1\r\n Host: a\r\n\r\n'))).toBe('400 a folded line');
  });
});

describe('names that CGI would take for others', () => {
  for (const name of [
    'Content_Length',
    'content_length',
    'Content.Length',
    'Content~Length',
    'Transfer_Encoding',
    'Transfer+Encoding',
    'X_Forwarded_For',
    'X-Forwarded_For',
    'X_Forwarded-Anything',
    'X_Request_Id',
    'X_Real_IP',
    'X_Forwarded',
    'Client_IP',
    'Keep_Alive',
    'Proxy_Authorization',
    'HTTP2_Settings',
  ]) {
    test(`do not go on: ${name}`, () => {
      expect(forwarded(get(`${name}: 5`), { isTrusted: true })).toBe(get());
    });
  }

  for (const name of [
    'Content_Lengths',
    'X_Other',
    'Ho_st',
    'ContentLength',
    'Content--Length',
    'Content-Length-',
    'Content1Length',
    'XForwardedFor',
  ]) {
    test(`are told from those that are nothing of the kind: ${name}`, () => {
      expect(forwarded(get(`${name}: 5`))).toBe(get(`${name}: 5`));
    });
  }
});
