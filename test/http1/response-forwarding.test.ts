import { describe, expect, test } from 'vitest';
import { answered, answers, chunked, codec, fieldsOf, head, ok, only, refusal } from '../fixtures/http1.ts';

/** What goes on of these fields of an answer without a body. */
function goesOn(...fields: readonly string[]): readonly string[] {
  return fieldsOf(answered(head('HTTP/1.1 304 Not Modified', ...fields)));
}

function startLine(line: string): string {
  return answered(head(line, 'Content-Length: 0')).split('\r\n')[0] ?? '';
}

describe('a status line', () => {
  for (const line of [
    'HTTP/1.1 200 OK',
    'HTTP/1.1 404 Not Found',
    'HTTP/1.1 999 x',
    'HTTP/1.1 200 caf\xe9\tau lait ',
    'HTTP/1.1 200  two blanks',
    'HTTP/1.1 200 ',
  ]) {
    test(`goes on as it came: ${JSON.stringify(line)}`, () => {
      expect(startLine(line)).toBe(line);
    });
  }

  test('gets the blank before an empty reason where that was forgotten', () => {
    expect(startLine('HTTP/1.1 200')).toBe('HTTP/1.1 200 ');
  });

  test('of HTTP/1.0 goes on as HTTP/1.1', () => {
    expect(startLine('HTTP/1.0 200 OK')).toBe('HTTP/1.1 200 OK');
    expect(startLine('HTTP/1.0 200')).toBe('HTTP/1.1 200 ');
  });

  for (const [line, reason] of [
    ['HTTP/2.0 200 OK', 'an answer that does not start with HTTP/1.'],
    ['http/1.1 200 OK', 'an answer that does not start with HTTP/1.'],
    ['HTTP/0.9 200 OK', 'an answer that does not start with HTTP/1.'],
    ['ICY 200 OK', 'an answer that does not start with HTTP/1.'],
    ['<html>', 'an answer that does not start with HTTP/1.'],
    [' HTTP/1.1 200 OK', 'an answer that does not start with HTTP/1.'],
    ['HTTP/1.2 200 OK', 'an unknown version'],
    ['HTTP/1.11 200 OK', 'an unknown version'],
    ['HTTP/1.1\t200 OK', 'an unknown version'],
    ['HTTP/1.1  200 OK', 'a malformed status'],
    ['HTTP/1.1 20 OK', 'a malformed status'],
    ['HTTP/1.1 2000 OK', 'a malformed status'],
    ['HTTP/1.1 2x0 OK', 'a malformed status'],
    ['HTTP/1.1 -20 OK', 'a malformed status'],
    ['HTTP/1.1 099 OK', 'a malformed status'],
    ['HTTP/1.1 000 OK', 'a malformed status'],
    ['HTTP/1.1 200\tOK', 'a malformed status'],
    ['HTTP/1.1 200 O\0K', 'a status line that does not end in CR and LF'],
    ['HTTP/1.1 200 OK\nX: y', 'a status line that does not end in CR and LF'],
    ['HTTP/1.1 200 OK\rX: y', 'a status line that does not end in CR and LF'],
    ['HTTP/1.1 200\rX: y', 'a status line that does not end in CR and LF'],
    ['HTTP/1.1 200 \x7f', 'a status line that does not end in CR and LF'],
  ] as const) {
    test(`is not ${JSON.stringify(line)}: ${reason}`, () => {
      expect(refusal(answers(head(line, 'Content-Length: 0')))).toBe(`502 ${reason}`);
    });
  }

  test('has nothing before it', () => {
    expect(refusal(answers(`\r\n${ok('Content-Length: 0')}`))).toMatch(/^502 /);
  });
});

describe('an answer goes on', () => {
  test('as it came, where nothing is to be done', () => {
    const text = `${ok('date: x', 'Set-Cookie: a=b', 'Set-Cookie: c=d', 'X-Forwarded-For: 1', 'Via: 1.1 a', 'Content-Length: 5')}hello`;
    expect(answered(text)).toBe(text);
  });

  test('without any fields that are of one hop only', () => {
    const fields = [
      'Connection: keep-alive',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: close',
      'Proxy-Authenticate: x',
      'Proxy-Authentication-Info: x',
      'TE: x',
      'Trailer: x',
      'Upgrade: h2c',
    ];
    for (const each of fields) expect(goesOn('A: 1', each, 'B: 2')).toEqual(['A: 1', 'B: 2']);
    expect(goesOn(...fields)).toEqual([]);
    expect(goesOn('Upgrade: h2', 'Upgrade: h2c')).toEqual([]);
  });

  test('without what Connection names', () => {
    expect(goesOn('Connection: close, X-Hop', 'X-Hop: 1', 'A: 1', 'x-hop: 2', 'Set-Cookie: a')).toEqual([
      'A: 1',
      'Set-Cookie: a',
    ]);
  });

  test('without names that CGI would take for framing', () => {
    expect(goesOn('Content_Length: 1', 'Transfer_Encoding: chunked', 'A: 1')).toEqual(['A: 1']);
  });

  test('with its length spelled in one way', () => {
    expect(answered(`${ok('content-length:\t5 ', 'A: 1')}hello`)).toBe(`${ok('A: 1', 'Content-Length: 5')}hello`);
  });

  test('chunked, with its trailer announced', () => {
    const text = `${ok('Trailer: X-Sum', chunked)}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`;
    expect(answered(text)).toBe(text);
  });

  test('chunked to a client of HTTP/1.1 where it has no end but that of its connection', () => {
    expect(answered(`${ok('Trailer: X')}hello`)).toBe(`${ok('Trailer: X', chunked)}5\r\nhello\r\n0\r\n\r\n`);
    expect(answered(`${head('HTTP/1.0 200 OK', 'A: 1')}hello`)).toBe(`${ok('A: 1', chunked)}5\r\nhello\r\n0\r\n\r\n`);
  });

  test('up to the end of its connection to a client of HTTP/1.0 where it has no length', () => {
    expect(answered(`${ok('A: 1')}hello`, { minorVersion: 0 })).toBe(`${ok('A: 1', 'Connection: close')}hello`);
    expect(answered(`${ok('Trailer: X', chunked)}5\r\nhello\r\n0\r\nX: 1\r\n\r\n`, { minorVersion: 0 })).toBe(
      `${ok('Connection: close')}hello`,
    );
    expect(answered(`${ok('Content-Length: 5')}hello`, { minorVersion: 0 })).toBe(`${ok('Content-Length: 5')}hello`);
  });

  test('to HEAD with the length that GET would see', () => {
    expect(answered(ok('Content-Length: 5'), { isForHead: true })).toBe(ok('Content-Length: 5'));
    expect(answered(head('HTTP/1.1 304 X', 'Content-Length: 5'))).toBe(head('HTTP/1.1 304 X', 'Content-Length: 5'));
  });

  test('without framing where it has no body by its status', () => {
    for (const status of [100, 103, 204]) {
      expect(answered(head(`HTTP/1.1 ${status} X`, 'Content-Length: 0', 'A: 1'))).toBe(
        head(`HTTP/1.1 ${status} X`, 'A: 1'),
      );
      expect(answered(head(`HTTP/1.1 ${status} X`, chunked, 'A: 1'))).toBe(head(`HTTP/1.1 ${status} X`, 'A: 1'));
    }
  });
});

describe('a switch of protocols', () => {
  const switched = head(
    'HTTP/1.1 101 Switching Protocols',
    'connection: upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Accept: x',
  );

  test('goes on with a Connection of ours', () => {
    const relayed = answers(`${switched}\x81\x00`, { asksForUpgrade: true });
    expect(only(relayed).out).toBe(
      head('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Sec-WebSocket-Accept: x', 'Connection: Upgrade'),
    );
    expect(relayed.unread).toBe('\x81\x00');
  });

  test('is to one protocol', () => {
    const two = head('HTTP/1.1 101 X', 'Connection: upgrade', 'Upgrade: x', 'Upgrade: y');
    expect(refusal(answers(two, { asksForUpgrade: true }))).toBe('502 an upgrade that nobody asked for');
  });

  test('has no framing', () => {
    expect(
      answered(head('HTTP/1.1 101 X', 'Content-Length: 5', 'Connection: upgrade', 'Upgrade: x'), {
        asksForUpgrade: true,
      }),
    ).toBe(head('HTTP/1.1 101 X', 'Upgrade: x', 'Connection: Upgrade'));
  });

  test('may be what an answer says is required', () => {
    expect(answered(head('HTTP/1.1 426 X', 'Upgrade: TLS/1.0', 'Connection: Upgrade', 'Content-Length: 0'))).toBe(
      head('HTTP/1.1 426 X', 'Upgrade: TLS/1.0', 'Content-Length: 0', 'Connection: Upgrade'),
    );
  });
});

describe("the client's connection", () => {
  function told(option: 'close' | 'keep-alive' | '', text = ok('Content-Length: 0')): readonly string[] {
    const one = new codec.MessageReader(new codec.ResponseHead(codec.defaultLimits, codec.decode), (answer) =>
      codec.responseFraming(answer, false),
    );
    const bytes = codec.encode(text);
    one.push(bytes, 0, bytes.length);
    one.next();
    return fieldsOf(codec.responseHead(one.head, one.framing, option));
  }

  test('is told what it is to hear', () => {
    expect(told('close')).toEqual(['Content-Length: 0', 'Connection: close']);
    expect(told('keep-alive')).toEqual(['Content-Length: 0', 'Connection: keep-alive']);
    expect(told('')).toEqual(['Content-Length: 0']);
  });

  test('is told so together with an upgrade that is required', () => {
    expect(told('close', head('HTTP/1.1 426 X', 'Upgrade: x', 'Content-Length: 0'))).toEqual([
      'Upgrade: x',
      'Content-Length: 0',
      'Connection: Upgrade, close',
    ]);
  });
});
