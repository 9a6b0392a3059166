import { describe, expect, test } from 'vitest';
import {
  answered,
  answers,
  bytesOf,
  chunked,
  forwarded,
  get,
  head,
  ok,
  only,
  post,
  reader,
  refusal,
  requests,
} from '../fixtures/http1.ts';

describe('a request', () => {
  test('without a length has no body, whatever its method', () => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      const { messages } = requests(`${head(`${method} / HTTP/1.1`, 'Host: a')}${get()}`);
      expect(messages.map(({ body, isComplete }) => [body, isComplete])).toEqual([
        ['', true],
        ['', true],
      ]);
    }
  });

  test('with a length has so many bytes, whatever its method', () => {
    for (const method of ['GET', 'POST', 'HEAD', 'TRACE']) {
      const message = only(requests(`${head(`${method} / HTTP/1.1`, 'Host: a', 'Content-Length: 5')}hello`));
      expect(message).toMatchObject({ body: 'hello', isComplete: true });
    }
  });

  test('with a length of 0 ends with its head, and says so', () => {
    expect(forwarded(post('Content-Length: 0') + get())).toBe(post('Content-Length: 0') + get());
  });

  test('is not complete before its last byte', () => {
    expect(only(requests(`${post('Content-Length: 5')}hell`))).toMatchObject({ body: 'hell', isComplete: false });
  });

  test('has one length, of digits', () => {
    for (const value of ['', '+5', '-5', '05', '00', '0x5', '5,5', '5 5', '5.0', '1e1', 'x', '5x', '\xb2']) {
      expect(refusal(requests(`${post(`Content-Length: ${value}`)}hello`))).toBe('400 a malformed Content-Length');
    }
    expect(refusal(requests(post('Content-Length: 5', 'Content-Length: 5')))).toBe('400 more than one Content-Length');
    expect(refusal(requests(post('Content-Length: 0', 'content-length: 0')))).toBe('400 more than one Content-Length');
  });

  test('has a length that can be counted', () => {
    expect(only(requests(post('Content-Length: 9007199254740991'))).isComplete).toBe(false);
    expect(refusal(requests(post('Content-Length: 9007199254740992')))).toBe('400 a malformed Content-Length');
    expect(refusal(requests(post('Content-Length: 18446744073709551616')))).toBe('400 a malformed Content-Length');
  });

  test('is chunked and nothing else', () => {
    for (const value of [
      '',
      'gzip',
      'identity',
      'chunked, chunked',
      'gzip, chunked',
      'chunked;a',
      '"chunked"',
      'chunkedx',
      'x',
      '\xa0chunked',
    ]) {
      expect(refusal(requests(post(`Transfer-Encoding: ${value}`)))).toBe('400 a Transfer-Encoding other than chunked');
    }
    expect(refusal(requests(post(chunked, chunked)))).toBe('400 more than one Transfer-Encoding');
  });

  test('is chunked or has a length', () => {
    expect(refusal(requests(post('Content-Length: 5', chunked)))).toBe('400 both Transfer-Encoding and Content-Length');
    expect(refusal(requests(post(chunked, 'Content-Length: 0')))).toBe('400 both Transfer-Encoding and Content-Length');
  });

  test('is not chunked in HTTP/1.0', () => {
    expect(refusal(requests(head('POST / HTTP/1.0', 'Host: a', chunked)))).toBe('400 Transfer-Encoding in HTTP/1.0');
  });

  test('has its framing spelled in one way when it goes on', () => {
    expect(forwarded(`${post('content-length:\t5 ')}hello`)).toBe(`${post('Content-Length: 5')}hello`);
    expect(forwarded(`${post('TRANSFER-ENCODING:  Chunked\t')}0\r\n\r\n`)).toBe(`${post(chunked)}0\r\n\r\n`);
  });

  test('keeps the framing that Connection names', () => {
    expect(forwarded(`${post('Connection: content-length, host', 'Content-Length: 5')}hello`)).toBe(
      `${post('Content-Length: 5')}hello`,
    );
    expect(forwarded(`${post('Connection: transfer-encoding', chunked)}0\r\n\r\n`)).toBe(`${post(chunked)}0\r\n\r\n`);
  });
});

describe('requests that come one behind the other', () => {
  test('are read one by one, each with its own body', () => {
    const text = `${post('Content-Length: 5')}hello${get('X: 1')}${post(chunked)}3\r\nabc\r\n0\r\n\r\n${post('Content-Length: 0')}${get()}`;
    expect(requests(text).messages.map(({ method, body }) => [method, body])).toEqual([
      ['POST', 'hello'],
      ['GET', ''],
      ['POST', 'abc'],
      ['POST', ''],
      ['GET', ''],
    ]);
    expect(forwarded(text)).toBe(text);
  });

  test('are read up to one that is refused', () => {
    const { messages, error } = requests(`${get()}${get('X : y')}${get()}`);
    expect(messages).toHaveLength(1);
    expect(error?.status).toBe(400);
  });

  test('wait until somebody asks for them', () => {
    const one = reader();
    const text = bytesOf(`${post('Content-Length: 2')}hi${get()}`);
    one.push(text, 0, text.length);
    expect([one.next(), one.next(), one.next(), one.isIdle]).toEqual(['head', 'body', 'end', false]);
    expect(one.unread).toBe(get().length);
    expect([one.next(), one.next(), one.next(), one.isIdle]).toEqual(['head', 'end', 'more', true]);
  });
});

describe('an answer', () => {
  test('with a length has so many bytes', () => {
    expect(only(answers(`${ok('Content-Length: 5')}hello`))).toMatchObject({ body: 'hello', isComplete: true });
    expect(only(answers(`${ok('Content-Length: 5')}hell`))).toMatchObject({ body: 'hell', isComplete: false });
    expect(only(answers(ok('Content-Length: 0')))).toMatchObject({ body: '', isComplete: true });
  });

  test('that is chunked ends with its last chunk', () => {
    expect(only(answers(`${ok(chunked)}5\r\nhello\r\n0\r\n\r\n`))).toMatchObject({ body: 'hello', isComplete: true });
    expect(only(answers(`${ok(chunked)}5\r\nhello\r\n`)).isComplete).toBe(false);
  });

  test('with neither ends with its connection', () => {
    expect(only(answers(`${ok()}hello`))).toMatchObject({ body: 'hello', isComplete: true });
    expect(only(answers(ok()))).toMatchObject({ body: '', isComplete: true });
    expect(only(answers(`${head('HTTP/1.0 200 OK')}hello`))).toMatchObject({ body: 'hello', isComplete: true });
  });

  test('to HEAD has no body, whatever it announces', () => {
    for (const fields of [['Content-Length: 5'], [chunked], []]) {
      const relayed = answers(`${ok(...fields)}hello`, { isForHead: true });
      expect(only(relayed)).toMatchObject({ body: '', isComplete: true });
      expect(relayed.unread).toBe('hello');
    }
  });

  for (const status of [204, 304]) {
    test(`of ${status} has no body, whatever it announces`, () => {
      for (const fields of [['Content-Length: 5'], [chunked], []]) {
        const relayed = answers(`${head(`HTTP/1.1 ${status} X`, ...fields)}hello`);
        expect(only(relayed)).toMatchObject({ body: '', isComplete: true });
        expect(relayed.unread).toBe('hello');
      }
    });
  }

  test('of 205 has a body where it announces one', () => {
    expect(only(answers(`${head('HTTP/1.1 205 X', 'Content-Length: 5')}hello`)).body).toBe('hello');
  });

  test('may have interim ones before it, which have no body', () => {
    const text = `${head('HTTP/1.1 100 Continue')}${head('HTTP/1.1 103 Early Hints', 'Link: </a>')}${ok('Content-Length: 5')}hello`;
    expect(answers(text).messages.map(({ status, body }) => [status, body])).toEqual([
      [100, ''],
      [103, ''],
      [200, 'hello'],
    ]);
    expect(answered(text)).toBe(text);
  });

  test('that announces a body of an interim answer is no answer then', () => {
    const { messages, error } = answers(`${head('HTTP/1.1 100 Continue', 'Content-Length: 5')}hello`);
    expect(messages.map(({ status, isComplete }) => [status, isComplete])).toEqual([[100, true]]);
    expect(error?.status).toBe(502);
  });

  test('is refused as a request is, where its framing is ambiguous', () => {
    expect(refusal(answers(ok('Content-Length: 5', chunked)))).toBe('400 both Transfer-Encoding and Content-Length');
    expect(refusal(answers(ok('Content-Length: 5', 'Content-Length: 5')))).toBe('400 more than one Content-Length');
    expect(refusal(answers(ok('Transfer-Encoding: gzip, chunked')))).toBe('400 a Transfer-Encoding other than chunked');
    expect(refusal(answers(head('HTTP/1.0 200 OK', chunked)))).toBe('400 Transfer-Encoding in HTTP/1.0');
    expect(refusal(answers(ok('Content-Length: -5')))).toBe('400 a malformed Content-Length');
  });

  test('that is ambiguous is refused even where it has no body', () => {
    expect(refusal(answers(head('HTTP/1.1 304 X', 'Content-Length: 5', chunked)))).toMatch(/^400 /);
    expect(refusal(answers(ok('Content-Length: x'), { isForHead: true }))).toMatch(/^400 /);
  });
});

describe('a connection that ends', () => {
  test('may do so between messages, and where an answer has no other end', () => {
    const one = reader();
    expect(one.mayEnd).toBe(true);
    const text = bytesOf(`${post('Content-Length: 2')}hi`);
    one.push(text, 0, text.length);
    expect(one.mayEnd).toBe(false);
    one.next();
    expect(one.mayEnd).toBe(false);
    one.next();
    expect(one.mayEnd).toBe(false);
    one.next();
    expect([one.mayEnd, one.isIdle]).toEqual([true, true]);
  });

  test('may not do so within a head', () => {
    const one = reader();
    const text = bytesOf('GET');
    one.push(text, 0, text.length);
    expect([one.next(), one.mayEnd, one.isIdle]).toEqual(['more', false, false]);
  });
});
