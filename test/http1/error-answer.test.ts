import { describe, expect, test } from 'vitest';
import { plainErrorAnswer, reasons } from '../../src/http1/error-answer.ts';

const failed = { status: 503, reason: 'no member is available', method: 'GET', target: '/', accept: undefined };

/** The kind of answer that a client with this `Accept` gets. */
function kindFor(accept: string | undefined): string {
  const type = plainErrorAnswer({ ...failed, accept }).headers?.['Content-Type'];
  return type === 'application/json' ? 'json' : type === 'text/plain; charset=utf-8' ? 'text' : `another: ${type}`;
}

function gives(kind: string, accepts: readonly string[]): void {
  for (const accept of accepts) {
    test(JSON.stringify(accept), () => {
      expect(kindFor(accept)).toBe(kind);
    });
  }
}

describe('the plain answer', () => {
  test('is a line of text that says what is wrong', () => {
    expect(plainErrorAnswer(failed)).toEqual({
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: '503 Service Unavailable: no member is available\n',
    });
  });

  test('says it in JSON where the client would rather have that', () => {
    expect(plainErrorAnswer({ ...failed, accept: 'application/json' })).toEqual({
      headers: { 'Content-Type': 'application/json' },
      body: '{"status":503,"error":"Service Unavailable","reason":"no member is available"}\n',
    });
  });

  test('is valid JSON whatever the reason says', () => {
    const reason = 'a "quoted"\n\u2028 reason';
    const { body } = plainErrorAnswer({ ...failed, reason, accept: 'application/json' });
    expect(JSON.parse(String(body))).toEqual({ status: 503, error: 'Service Unavailable', reason });
  });

  for (const [status, title] of Object.entries(reasons)) {
    test(`of ${status} is titled ${title}`, () => {
      const { body } = plainErrorAnswer({ ...failed, status: Number(status) });
      expect(body).toBe(`${status} ${title}: no member is available\n`);
    });
  }

  test('has a title for any status', () => {
    expect(plainErrorAnswer({ ...failed, status: 599 }).body).toBe('599 Error: no member is available\n');
  });

  test('is text where nothing can be told of the client', () => {
    expect(kindFor(undefined)).toBe('text');
  });
});

describe('it is JSON for a client that accepts', () => {
  gives('json', [
    'application/json',
    'application/*',
    'APPLICATION/JSON',
    ' application/json ',
    'application/json;charset=utf-8',
    'application/json, text/plain;q=0.9',
    'text/plain;q=0.9, application/json',
    'text/plain;q=0.5,application/json;q=0.6',
    'text/plain ; q=0.5 , application/json ; q=0.501',
    'application/json;Q=0.2, text/plain;q=0.1',
    'application/json;version=1;q=0.2, text/plain;q=0.1',
    '*/*;q=0.1, application/json',
    'application/json, */*;q=0.8',
    'application/*, text/*;q=0.9',
    'text/html, application/json;q=0.9',
    // The most specific range counts, not the best nor the first.
    '*/*, text/plain;q=0.1',
    'text/plain;q=0.1, */*',
    'text/*;q=0.2, */*;q=0.3',
    'text/plain;q=0, */*;q=0.001',
    'application/*;q=0.1, application/json;q=0.9, text/plain;q=0.5',
    'application/json;q=1.000, text/plain;q=0.999',
  ]);
});

describe('it is text for a client that accepts', () => {
  gives('text', [
    '',
    '*/*',
    'text/plain',
    'text/*',
    'text/html',
    'text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8',
    'image/avif, image/webp',
    'application/json, text/plain',
    'application/json;q=0.5, text/plain;q=0.5',
    'application/json;q=0.5, */*;q=0.6, text/plain;q=0.7',
    'application/json;q=0.1, */*',
    'application/*, application/json;q=0.1, text/*;q=0.2',
    'application/json;q=0',
    'application/json;q=0, */*',
    'application/json;q=0.000, text/plain;q=0.000',
    'application/jsonp',
    'application/problem+json',
    'application/xml',
    'json',
  ]);
});

describe('of what is malformed', () => {
  describe('a weight counts as 0', () => {
    gives('text', [
      'application/json;q=',
      'application/json;q=high',
      'application/json;q=2',
      'application/json;q=-1',
      'application/json;q=NaN',
      'application/json;q=Infinity',
    ]);
  });

  describe('nothing else matters', () => {
    gives('text', [',', ',,;;q=1,', '/', '*', '*/json', ';q=1', 'application json', '\u0000']);
    test('also where there is much of it', () => {
      expect(kindFor(`${'a,'.repeat(8000)}application/json`)).toBe('json');
    });

    gives('json', [',,application/json,,', 'nonsense, application/json', 'q=1;, application/json;;']);
  });
});
