import { describe, expect, test } from 'vitest';
import {
  answers,
  bytesOf,
  chunked,
  cutEverywhere,
  get,
  head,
  ok,
  post,
  reader,
  refusal,
  requests,
} from '../fixtures/http1.ts';

const upgrade = ['Connection: Upgrade', 'Upgrade: websocket'] as const;

const messages = {
  'a request without a body': get('X: 1'),
  'an empty line before a request': `\r\n${get()}`,
  'a request with a length': `${post('Content-Length: 5')}hello`,
  'a request of HTTP/1.0 without fields': head('GET / HTTP/1.0'),
  'a chunked request': `${post(chunked)}5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n`,
  'chunk extensions': `${post(chunked)}5;a=b\r\nhello\r\n00a;c="d"\r\n0123456789\r\n0;e\r\n\r\n`,
  'a trailer': `${post(chunked)}5\r\nhello\r\n0\r\nX-Sum: 1\r\nHost: b\r\nETag: x\r\n\r\n`,
  'several requests': `${get()}${post('Content-Length: 2')}hi${post(chunked)}1\r\na\r\n0\r\nX: 1\r\n\r\n${get('Y: 2')}`,
  'a request to upgrade and what comes behind it': `${get(...upgrade)}\x00\xff`,
  'an absolute target': head('GET http://a.example/x HTTP/1.1', 'Host: a.example'),
};

const responses = {
  'an answer with a length': `${ok('Content-Length: 5')}hello`,
  'an answer without a reason': head('HTTP/1.1 200', 'Content-Length: 0'),
  'a chunked answer with a trailer': `${ok(chunked)}5;x\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`,
  'an answer that ends with its connection': `${ok('X: y')}hello`,
  'interim answers': `${head('HTTP/1.1 100 Continue')}${head('HTTP/1.1 103 X', 'Link: y')}${ok('Content-Length: 2')}hi`,
  'an answer and what comes behind it': `${ok('Content-Length: 2')}hi${ok()}`,
};

const faulty = {
  'a malformed field': `${get('X : y')}`,
  'a malformed length': `${post('Content-Length: x')}hello\n`,
  'a malformed chunk': `${post(chunked)}5\r\nhello!\r\n`,
  'a malformed trailer': `${post(chunked)}0\r\nX : y\r\n\r\n`,
  'a second request that is malformed': `${post('Content-Length: 2')}hi${get('X: y\0')}`,
};

describe('it does not matter where bytes are cut:', () => {
  for (const [name, text] of Object.entries(messages)) {
    test(name, () => {
      const whole = requests(text);
      expect(refusal(whole)).toBeUndefined();
      expect(whole.messages.every(({ isComplete }) => isComplete)).toBe(true);
      for (const pieces of cutEverywhere(text)) expect(requests(pieces)).toEqual(whole);
      expect(requests([...text])).toEqual(whole);
    });
  }

  for (const [name, text] of Object.entries(responses)) {
    test(name, () => {
      for (const settings of [{}, { minorVersion: 0 }, { isForHead: true }] as const) {
        const whole = answers(text, settings);
        expect(refusal(whole)).toBeUndefined();
        const contents = ({ messages, unread }: typeof whole) => [
          messages.map(({ head, body, trailer, isComplete }) => [head, body, trailer, isComplete]),
          unread,
        ];
        for (const pieces of cutEverywhere(text)) expect(contents(answers(pieces, settings))).toEqual(contents(whole));
        expect(contents(answers([...text], settings))).toEqual(contents(whole));
      }
    });
  }

  for (const [name, text] of Object.entries(faulty)) {
    test(name, () => {
      const whole = requests(text);
      expect(whole.error?.status).toBe(400);
      for (const pieces of [...cutEverywhere(text), [...text]]) {
        const cut = requests(pieces);
        expect(cut.error).toEqual(whole.error);
        expect(cut.messages.filter(({ isComplete }) => isComplete)).toEqual(
          whole.messages.filter(({ isComplete }) => isComplete),
        );
      }
    });
  }
});

describe('bytes may come in before those at hand are read:', () => {
  for (const [name, text] of Object.entries(messages)) {
    test(name, () => {
      const whole = requests(text);
      const pieces = [...text];
      for (const every of [2, 3, 7]) {
        const ahead = pieces.map((_, index) => index % every !== 0);
        expect(requests(pieces, { ahead })).toEqual(whole);
      }
      for (const two of cutEverywhere(text)) expect(requests(two, { ahead: [true] })).toEqual(whole);
    });
  }

  test('a head that is complete is found although a piece without a line end has come in behind it', () => {
    const one = reader();
    for (const piece of ['GET / HT', 'TP/1.1\r\nHost: a\r\n\r\n', 'x']) {
      const bytes = bytesOf(piece);
      one.push(bytes, 0, bytes.length);
      if (piece.startsWith('GET')) expect(one.next()).toBe('more');
    }
    expect(one.next()).toBe('head');
  });

  test('a short request behind a long trailer that came in pieces is found', () => {
    const long = 'x'.repeat(100);
    const { messages, error } = requests([`${post(chunked)}0\r\nX: ${long}`, `\r\n\r\n${get()}`]);
    expect(error).toBeUndefined();
    expect(messages.map(({ method, isComplete }) => [method, isComplete])).toEqual([
      ['POST', true],
      ['GET', true],
    ]);
  });

  test('a request behind a trailer that came in pieces is found although a piece without a line end has come in behind it', () => {
    const one = reader();
    const found: string[] = [];
    const push = (text: string): void => {
      const bytes = bytesOf(text);
      one.push(bytes, 0, bytes.length);
    };
    push(`${post(chunked)}0\r\nX: `);
    for (let each = one.next(); each !== 'more'; each = one.next()) found.push(each);
    push(`1\r\n\r\n${get()}`);
    found.push(one.next());
    push('G');
    found.push(one.next());
    expect(found).toEqual(['head', 'body', 'end', 'head']);
  });
});

describe('the reader', () => {
  test('does not read a head anew for each byte that trickles in', () => {
    let reads = 0;
    const one = reader();
    const read = one.head.read.bind(one.head);
    one.head.read = (...bytes) => {
      reads++;
      return read(...bytes);
    };
    for (const byte of get('X: 1')) {
      const bytes = bytesOf(byte);
      one.push(bytes, 0, 1);
      one.next();
    }
    // Once at the first byte, and at each line's end.
    expect(reads).toBe(5);
  });

  test('keeps no byte of a body', () => {
    const one = reader();
    const bytes = bytesOf(`${post('Content-Length: 10')}hello`);
    one.push(bytes, 0, bytes.length);
    one.next();
    one.next();
    expect(one.bytes).toBe(bytes);
    expect([one.start, one.end, one.next(), one.unread]).toEqual([bytes.length - 5, bytes.length, 'more', 0]);
  });

  test('hands over what it has not read', () => {
    const one = reader();
    const bytes = bytesOf(`${get(...upgrade)}rest`);
    one.push(bytes, 0, bytes.length);
    one.next();
    one.next();
    expect(one.rest()).toEqual(bytesOf('rest'));
    expect([one.unread, one.isIdle]).toEqual([0, true]);
  });

  test('reads no further than it is told to', () => {
    const one = reader();
    const bytes = bytesOf(`xx${get()}${get()}`);
    one.push(bytes, 2, 2 + get().length);
    expect([one.next(), one.next(), one.next(), one.isIdle]).toEqual(['head', 'end', 'more', true]);
  });

  test('may be given nothing', () => {
    const one = reader();
    expect(one.next()).toBe('more');
    one.push(new Uint8Array(0), 0, 0);
    expect([one.next(), one.isIdle]).toEqual(['more', true]);
  });

  test('stays failed', () => {
    const one = reader();
    const bytes = bytesOf('\0');
    one.push(bytes, 0, 1);
    expect(one.next()).toBe('failed');
    const good = bytesOf(get());
    one.push(good, 0, good.length);
    expect(one.next()).toBe('failed');
  });

  test('may share its head with others, which are read in turn', () => {
    const { head: shared } = reader();
    const make = () => {
      const one = reader();
      return Object.assign(one, { head: shared });
    };
    const [one, other] = [make(), make()];
    const first = bytesOf(`${post('Content-Length: 5', 'X: 1')}hel`);
    const second = bytesOf(get('Y: 2'));
    one.push(first, 0, first.length);
    expect(one.next()).toBe('head');
    other.push(second, 0, second.length);
    expect(other.next()).toBe('head');
    expect([one.next(), one.next(), other.next(), other.next()]).toEqual(['body', 'more', 'end', 'more']);
  });
});
