import { describe, expect, test } from 'vitest';
import { answers, bytesOf, chunked, codec, forwarded, ok, only, post, refusal, requests } from '../fixtures/http1.ts';

const request = post(chunked);

function bodyOf(body: string): string {
  const message = only(requests(request + body));
  expect(message.isComplete).toBe(true);
  return message.body;
}

function goesOn(body: string): string {
  return forwarded(request + body).slice(request.length);
}

function refused(body: string): string | undefined {
  return refusal(requests(request + body));
}

describe('a chunked body', () => {
  test('is what its chunks hold, and goes on as it came', () => {
    for (const [body, data] of [
      ['0\r\n\r\n', ''],
      ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
      ['1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n', 'abcdef'],
      ['A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
      ['a\r\n0123456789\r\n000\r\n\r\n', '0123456789'],
      ['0000000000005\r\nhello\r\n0\r\n\r\n', 'hello'],
      ['2\r\n\r\n\r\n0\r\n\r\n', '\r\n'],
      ['7\r\n0\r\n\r\nab\r\n0\r\n\r\n', '0\r\n\r\nab'],
      [`20\r\n${'\xff'.repeat(32)}\r\n0\r\n\r\n`, '\xff'.repeat(32)],
    ] as const) {
      expect(bodyOf(body)).toBe(data);
      expect(goesOn(body)).toBe(body);
    }
  });

  test('goes on without chunk extensions', () => {
    expect(goesOn('5;a=b\r\nhello\r\n3;c="d;e"\r\nabc\r\n0;f\r\n\r\n')).toBe('5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n');
    expect(goesOn('5;\r\nhello\r\n0;\r\n\r\n')).toBe('5\r\nhello\r\n0\r\n\r\n');
    expect(goesOn('5;a="\\"; 3\r\nhello\r\n0\r\n\r\n')).toBe('5\r\nhello\r\n0\r\n\r\n');
    expect(bodyOf('5;\xe9\t\r\nhello\r\n0\r\n\r\n')).toBe('hello');
  });

  for (const [body, reason] of [
    ['\r\n', 'a chunk without a size'],
    [';a\r\n', 'a chunk without a size'],
    ['g\r\n', 'a chunk without a size'],
    ['+5\r\n', 'a chunk without a size'],
    ['-5\r\n', 'a chunk without a size'],
    [' 5\r\n', 'a chunk without a size'],
    ['\n5\r\n', 'a chunk without a size'],
    ['0x5\r\n', 'a malformed chunk size'],
    ['5_0\r\n', 'a malformed chunk size'],
    ['5 \r\n', 'a malformed chunk size'],
    ['5 ;a\r\n', 'a malformed chunk size'],
    ['5\t\r\n', 'a malformed chunk size'],
    ['5\n', 'a malformed chunk size'],
    ['5\0\r\n', 'a malformed chunk size'],
    ['5,5\r\n', 'a malformed chunk size'],
    ['5\rh', 'a chunk size that does not end in CR and LF'],
    ['5\r\r\n', 'a chunk size that does not end in CR and LF'],
    ['5;a\rb', 'a chunk size that does not end in CR and LF'],
    ['5;a\n', 'a control character in a chunk extension'],
    ['5;a\0', 'a control character in a chunk extension'],
    ['5;\x7f', 'a control character in a chunk extension'],
    ['5\r\nhello!', 'a chunk that is longer than its size'],
    ['5\r\nhello\n', 'a chunk that is longer than its size'],
    ['5\r\nhello0\r\n', 'a chunk that is longer than its size'],
    ['5\r\nhello\r0', 'a chunk that does not end in CR and LF'],
    ['5\r\nhello\r\r\n', 'a chunk that does not end in CR and LF'],
    ['00000000000005\r\n', 'a chunk size that is too long'],
    ['10000000000000\r\n', 'a chunk size that is too long'],
    ['ffffffffffffffff\r\n', 'a chunk size that is too long'],
  ] as const) {
    test(`is not ${JSON.stringify(body)}: ${reason}`, () => {
      expect(refused(body)).toBe(`400 ${reason}`);
      expect(refused(`1\r\nx\r\n${body}`)).toBe(`400 ${reason}`);
    });
  }

  test('has chunks of any size that can be counted', () => {
    expect(only(requests(`${request}fffffffffffff\r\nhello`))).toMatchObject({ body: 'hello', isComplete: false });
  });

  test('has all hexadecimal digits in both cases', () => {
    const sizes = ['01', '23', '45', '67', '89', 'ab', 'cd', 'ef', 'AB', 'CD', 'EF'];
    const body = sizes.map((size) => `${size}\r\n${'x'.repeat(Number.parseInt(size, 16))}\r\n`).join('');
    const total = sizes.reduce((sum, size) => sum + Number.parseInt(size, 16), 0);
    expect(bodyOf(`${body}0\r\n\r\n`)).toHaveLength(total);
  });

  test('starts anew with each message', () => {
    expect(
      requests(`${request}5;a\r\nhello\r\n0\r\n\r\n${request}3\r\nabc\r\n0\r\n\r\n`).messages.map(({ body }) => body),
    ).toEqual(['hello', 'abc']);
  });

  test('of a client of HTTP/1.0 is its data, and ends with the connection', () => {
    const message = only(answers(`${ok(chunked)}5;a\r\nhello\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n`, { minorVersion: 0 }));
    expect(message.out).toBe(`${ok('Connection: close')}helloabc`);
    expect(message.isComplete).toBe(true);
  });

  test('comes out in as few pieces as there are gaps', () => {
    const one = new codec.MessageReader(new codec.RequestHead(codec.defaultLimits, codec.decode), codec.requestFraming);
    const bytes = bytesOf(`${request}1\r\na\r\n1\r\nb\r\n1;x\r\nc\r\n1\r\nd\r\n0\r\n\r\n`);
    one.push(bytes, 0, bytes.length);
    const pieces: string[] = [];
    for (let found = one.next(); found !== 'end'; found = one.next()) {
      if (found === 'body') pieces.push(codec.decode(one.bytes, one.start, one.end));
    }
    expect(pieces).toEqual(['1\r\na\r\n1\r\nb\r\n1', '\r\nc\r\n1\r\nd\r\n0\r\n']);
  });
});

describe('a trailer', () => {
  const end = '5\r\nhello\r\n0\r\n';

  test('goes on', () => {
    expect(goesOn(`${end}X-Sum: 1\r\nServer-Timing: a, b\r\ngrpc-status:0\r\nETag: "x"\r\n\r\n`)).toBe(
      `${end}X-Sum: 1\r\nServer-Timing: a, b\r\ngrpc-status:0\r\nETag: "x"\r\n\r\n`,
    );
  });

  for (const name of [
    'Host',
    'Connection',
    'Content-Length',
    'Transfer-Encoding',
    'Upgrade',
    'Expect',
    'TE',
    'Trailer',
    'Keep-Alive',
    'Via',
    'Forwarded',
    'X-Forwarded-For',
    'x-forwarded-anything',
    'X-Request-Id',
    'X-Real-IP',
    'Accept',
    'Proxy-Authorization',
    'Authorization',
    'WWW-Authenticate',
    'Cookie',
    'Set-Cookie',
    'Content-Type',
    'Content-Encoding',
    'Content-Range',
    'Cache-Control',
    'Pragma',
    'Location',
    'Range',
    'If-None-Match',
    'If-Range',
    'Max-Forwards',
    'Age',
    'Date',
    'Expires',
    'Retry-After',
    'Vary',
    'Warning',
    'content_type',
    'Set.Cookie',
    'Content_Length',
  ]) {
    test(`does not bring ${name}, which means something in a head`, () => {
      expect(goesOn(`${end}A: 1\r\n${name}: 5\r\nB: 2\r\n\r\n`)).toBe(`${end}A: 1\r\nB: 2\r\n\r\n`);
      expect(goesOn(`${end}${name}: 5\r\n\r\n`)).toBe(`${end}\r\n`);
    });
  }

  test('is read as strictly as a head', () => {
    for (const lines of [
      'X : y',
      'X: y\r\n z',
      'X',
      ': y',
      'X: y\0',
      'X: y\nZ: 1',
      'X: y\rZ: 1',
      ' X: y',
      'X: y\r\n\rZ',
    ]) {
      expect(refused(`${end}${lines}\r\n\r\n`), lines).toMatch(/^400 /);
    }
    expect(refused(`${end}\n`)).toBe('400 an LF without its CR');
    expect(refused(`${end}\rX`)).toBe('400 a CR without its LF');
  });

  test('does not change what was said in the head', () => {
    const message = only(requests(`${request}${end}Content-Length: 100\r\n\r\n`));
    expect(message).toMatchObject({ body: 'hello', isComplete: true });
  });

  test('is of the message that has it', () => {
    const [first, second] = requests(`${request}0\r\nX: 1\r\n\r\n${request}0\r\n\r\n`).messages;
    expect([first?.trailer, second?.trailer]).toEqual(['X: 1\r\n', '']);
  });

  test('keeps the bytes that are no ASCII', () => {
    expect(goesOn(`${end}X: caf\xe9\r\n\r\n`)).toBe(`${end}X: caf\xe9\r\n\r\n`);
  });
});
