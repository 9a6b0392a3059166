import { describe, expect, test } from 'vitest';
import * as field from '../../src/http1/field.ts';
import { bytesOf, chunked, forwarded, get, head, only, post, reader, refusal, requests } from '../fixtures/http1.ts';

function startLine(text: string): string {
  return forwarded(text).split('\r\n')[0] ?? '';
}

function line(requestLine: string, ...fields: readonly string[]): string {
  return head(requestLine, 'Host: a.example', ...fields);
}

describe('a request line', () => {
  for (const method of ['GET', 'POST', 'M-SEARCH', 'get', 'X', "!#$%&'*+-.^_`|~", 'A'.repeat(32)]) {
    test(`has any token for a method: ${method}`, () => {
      expect(only(requests(line(`${method} / HTTP/1.1`))).method).toBe(method);
    });
  }

  test('has a method of 32 characters at most', () => {
    expect(refusal(requests(line(`${'A'.repeat(33)} / HTTP/1.1`)))).toBe('400 a method that is too long');
    expect(refusal(requests('A'.repeat(33)))).toBe('400 a method that is too long');
  });

  for (const target of [
    '/',
    '/a/b?c=d',
    '/?',
    '//',
    '//a.example/',
    '/%00',
    '/{|}"<>\\^`[]@:;,!$&\'()*+=~',
    '/a?b?c/d',
  ]) {
    test(`has a target that goes on as it came: ${target}`, () => {
      expect(startLine(line(`GET ${target} HTTP/1.1`))).toBe(`GET ${target} HTTP/1.1`);
    });
  }

  for (const bad of ['/a b', '/a\tb', '/#', '/\x7f', '/\x80', '/\xff', '/\0', '', 'a', '?', 'a.example:80', '*']) {
    test(`does not have ${JSON.stringify(bad)} for a target`, () => {
      expect(refusal(requests(line(`GET ${bad} HTTP/1.1`)))).toMatch(/^400 /);
    });
  }

  test('has an asterisk for OPTIONS only', () => {
    expect(startLine(line('OPTIONS * HTTP/1.1'))).toBe('OPTIONS * HTTP/1.1');
    expect(refusal(requests(line('POST * HTTP/1.1')))).toBe('400 a malformed target');
  });

  test('that ends in HTTP/1.0 goes on as HTTP/1.1', () => {
    expect(startLine(line('GET / HTTP/1.0'))).toBe('GET / HTTP/1.1');
    expect(only(requests(line('GET / HTTP/1.0'))).minorVersion).toBe(0);
  });

  for (const [version, status] of [
    ['HTTP/1.2', 505],
    ['HTTP/2.0', 505],
    ['HTTP/0.9', 505],
    ['HTTP/3.0', 505],
    ['HTTP/1.', 400],
    ['HTTP/1.11', 400],
    ['HTTP/1.x', 400],
    ['HTTP/x.1', 400],
    ['HTTP/11', 400],
    ['Http/1.1', 400],
    ['HTTP 1.1', 400],
    ['', 400],
  ] as const) {
    test(`that ends in ${JSON.stringify(version)} is refused with ${status}`, () => {
      expect(refusal(requests(line(`GET / ${version}`)))).toMatch(new RegExp(`^${status} `));
    });
  }

  test('may have one empty line before it', () => {
    expect(startLine(`\r\n${get()}`)).toBe('GET / HTTP/1.1');
    expect(refusal(requests(`\r\n\r\n${get()}`))).toMatch(/^400 /);
    expect(refusal(requests(`\n${get()}`))).toMatch(/^400 /);
    expect(refusal(requests(`\rG`))).toBe('400 a CR without its LF');
  });

  test('may have one empty line before it on a connection that is kept, too', () => {
    expect(requests(`${post('Content-Length: 1')}x\r\n${get()}`).messages).toHaveLength(2);
  });
});

describe('CONNECT', () => {
  test('is refused with 405, whatever else is wrong', () => {
    expect(refusal(requests(head('CONNECT a.example:443 HTTP/1.1', 'Host: a.example:443')))).toBe('405 CONNECT');
    expect(refusal(requests(head('CONNECT / HTTP/1.1')))).toBe('405 CONNECT');
  });

  test('in lower case is a method like others', () => {
    expect(startLine(line('connect / HTTP/1.1'))).toBe('connect / HTTP/1.1');
  });
});

describe('Host', () => {
  for (const host of [
    '',
    'a',
    'a.example',
    'A.EXAMPLE',
    'a_b',
    'a.example:80',
    'a.example:',
    '192.0.2.1:1',
    '[::1]',
    '[2001:DB8::1]:8080',
    'xn--e1a',
    "a!$&'()*+;=~b",
  ]) {
    test(`may be ${JSON.stringify(host)}`, () => {
      expect(forwarded(head('GET / HTTP/1.1', `Host: ${host}`))).toContain(`\r\nHost: ${host}\r\n`);
    });
  }

  for (const host of [
    'a b',
    'a,b',
    'a/b',
    'a?b',
    'a@b',
    'a:b',
    'a:80:80',
    'a:123456',
    '::1',
    '[::1',
    '::1]',
    '[]',
    '[g]',
    '[::1]x',
    'x[::1]',
    'a[b]',
    'a:80]',
    '%61',
    '"a"',
    'a\xe9',
    '[fe80::1%25eth0]',
    'a:+1',
    '[::1]:x',
  ]) {
    test(`may not be ${JSON.stringify(host)}`, () => {
      expect(refusal(requests(head('GET / HTTP/1.1', `Host: ${host}`)))).toBe('400 a malformed Host');
    });
  }

  test('is there, once, in HTTP/1.1', () => {
    expect(refusal(requests(head('GET / HTTP/1.1', 'X: y')))).toBe('400 no Host');
    expect(refusal(requests(head('GET / HTTP/1.1')))).toBe('400 no Host');
    expect(refusal(requests(get('Host: a.example')))).toBe('400 more than one Host');
    expect(refusal(requests(get('HOST: b.example')))).toBe('400 more than one Host');
  });

  test('may be missing in HTTP/1.0, where the address that took the request stands for it', () => {
    expect(forwarded(head('GET / HTTP/1.0'))).toBe('GET / HTTP/1.1\r\nHost: 198.51.100.1:8080\r\n\r\n');
    const hop = { clientAddress: undefined, localAddress: undefined, localPort: undefined, protocol: 'http' } as const;
    expect(forwarded(head('GET / HTTP/1.0'), { hop })).toBe('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(forwarded(head('GET / HTTP/1.0'), { hop: { ...hop, localAddress: '2001:db8::1', localPort: 80 } })).toBe(
      'GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n',
    );
    expect(forwarded(head('GET / HTTP/1.0'), { hop: { ...hop, localAddress: 'fe80::1%eth0', localPort: 80 } })).toBe(
      'GET / HTTP/1.1\r\nHost: [fe80::1]:80\r\n\r\n',
    );
  });

  test('is wanted once in HTTP/1.0 as well, where it is there', () => {
    expect(refusal(requests(head('GET / HTTP/1.0', 'Host: a', 'Host: a')))).toBe('400 more than one Host');
    expect(refusal(requests(head('GET / HTTP/1.0', 'Host: a b')))).toBe('400 a malformed Host');
  });
});

describe('a target in absolute form', () => {
  function absolute(target: string, host: string, method = 'GET'): string {
    return head(`${method} ${target} HTTP/1.1`, `Host: ${host}`);
  }

  for (const [target, host, goesOn] of [
    ['http://a.example/x?y=z', 'a.example', '/x?y=z'],
    ['http://a.example', 'a.example', '/'],
    ['http://a.example?y', 'a.example', '/?y'],
    ['http://A.Example/', 'a.EXAMPLE', '/'],
    ['http://a.example:80/', 'a.example', '/'],
    ['http://a.example/', 'a.example:80', '/'],
    ['http://a.example:/', 'a.example', '/'],
    ['http://a.example:8080/', 'a.example:8080', '/'],
    ['HTTP://a.example/', 'a.example', '/'],
    ['https://a.example:443/', 'a.example', '/'],
    ['https://a.example/', 'a.example:443', '/'],
    ['http://[::1]:8080/', '[::1]:8080', '/'],
    ['http://a.example/http://b.example/', 'a.example', '/http://b.example/'],
  ] as const) {
    test(`${target} for ${host} goes on in origin form, ${goesOn}`, () => {
      expect(startLine(absolute(target, host))).toBe(`GET ${goesOn} HTTP/1.1`);
    });
  }

  for (const [target, host] of [
    ['http://b.example/', 'a.example'],
    ['http://a.example:81/', 'a.example'],
    ['http://a.example:443/', 'a.example'],
    ['https://a.example:80/', 'a.example'],
    ['http://a.example:443/', 'a.example:80'],
    ['http://a.example/', ''],
    ['http://a.example.b.example/', 'a.example'],
  ] as const) {
    test(`${target} does not agree with ${JSON.stringify(host)}`, () => {
      expect(refusal(requests(absolute(target, host)))).toBe('400 a target that does not agree with Host');
    });
  }

  for (const target of [
    'http://',
    'http:///',
    'http://:80/',
    'http://a@b/',
    'http://a,b/',
    'ftp://a.example/',
    'http:/a.example/',
    'http//a.example/',
    'https:a.example',
    'xhttp://a.example/',
    '/http://a b/',
  ]) {
    test(`${JSON.stringify(target)} is malformed`, () => {
      expect(refusal(requests(absolute(target, 'a.example')))).toMatch(/^400 /);
    });
  }

  test('of OPTIONS without a path goes on as an asterisk', () => {
    expect(startLine(absolute('http://a.example', 'a.example', 'OPTIONS'))).toBe('OPTIONS * HTTP/1.1');
    expect(startLine(absolute('http://a.example/', 'a.example', 'OPTIONS'))).toBe('OPTIONS / HTTP/1.1');
    expect(startLine(absolute('http://a.example?x', 'a.example', 'OPTIONS'))).toBe('OPTIONS /?x HTTP/1.1');
  });

  test('names the host of a request of HTTP/1.0 that has no other', () => {
    expect(forwarded(head('GET http://a.example:81/x HTTP/1.0', 'X: y'))).toBe(
      'GET /x HTTP/1.1\r\nX: y\r\nHost: a.example:81\r\n\r\n',
    );
  });

  test('leaves no trace in the request behind it', () => {
    const [first, second] = requests(head('GET http://a.example/x HTTP/1.0') + head('GET / HTTP/1.0')).messages;
    expect(first?.head).toContain('Host: a.example\r\n');
    expect(second?.head).toBe('GET / HTTP/1.1\r\nHost: 198.51.100.1:8080\r\n\r\n');
  });
});

describe('an expectation', () => {
  const body = ['Content-Length: 5', 'hello'] as const;

  test('of 100-continue is passed on, in any case', () => {
    expect(forwarded(post('Expect: 100-Continue', body[0]) + body[1])).toContain('\r\nExpect: 100-Continue\r\n');
    expect(forwarded(`${post('Expect: 100-continue', chunked)}0\r\n\r\n`)).toContain('\r\nExpect: 100-continue\r\n');
  });

  test('of anything else is refused with 417', () => {
    for (const value of ['', '200-ok', '100-continue, x', 'x 100-continue', '"100-continue"']) {
      expect(refusal(requests(post(`Expect: ${value}`, body[0]) + body[1]))).toBe(
        '417 an expectation other than 100-continue',
      );
    }
  });

  test('means nothing without a body, and is not passed on', () => {
    expect(forwarded(get('Expect: 100-continue'))).not.toContain('Expect');
    expect(forwarded(post('Expect: 100-continue', 'Content-Length: 0'))).not.toContain('Expect');
  });

  test('means nothing in HTTP/1.0', () => {
    expect(forwarded(head('POST / HTTP/1.0', 'Expect: 100-continue', body[0]) + body[1])).not.toContain('Expect');
  });

  test('is for the request that has it', () => {
    const one = reader();
    const text = bytesOf(`${post('Expect: 100-continue', body[0])}hello${post(body[0])}hello`);
    one.push(text, 0, text.length);
    const expects: boolean[] = [];
    for (let found = one.next(); found !== 'more'; found = one.next())
      if (found === 'head') expects.push(one.head.expectsContinue);
    expect(expects).toEqual([true, false]);
  });
});

describe('an upgrade', () => {
  const fields = ['Connection: keep-alive, Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'] as const;

  test('is passed on with a Connection of its own', () => {
    expect(forwarded(get(...fields))).toBe(
      'GET / HTTP/1.1\r\nHost: a.example\r\nSec-WebSocket-Key: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
  });

  test('needs both fields, and HTTP/1.1', () => {
    expect(forwarded(get(fields[0]))).not.toContain('pgrade');
    expect(forwarded(get(fields[1]))).not.toContain('pgrade');
    expect(forwarded(head('GET / HTTP/1.0', ...fields))).not.toContain('pgrade');
    expect(forwarded(get(fields[0], 'Upgrade:'))).not.toContain('pgrade');
  });

  test('to h2c is not passed on, and neither are its settings; the request is, with its body', () => {
    expect(forwarded(get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAM'))).toBe(get());
    expect(forwarded(get('Connection: Upgrade', 'Upgrade: websocket, H2C'))).toBe(get());
    expect(forwarded(`${post('Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 5')}hello`)).toBe(
      `${post('Content-Length: 5')}hello`,
    );
  });

  test('with a body is refused', () => {
    expect(refusal(requests(`${get(...fields, 'Content-Length: 1')}x`))).toBe('400 an upgrade with a body');
    expect(refusal(requests(`${get(...fields, chunked)}0\r\n\r\n`))).toBe('400 an upgrade with a body');
  });

  test('may say that it has no body', () => {
    expect(only(requests(get(...fields, 'Content-Length: 0'))).asksForUpgrade).toBe(true);
  });

  test('is asked for once, or not at all', () => {
    expect(forwarded(get(...fields, 'Upgrade: x'))).toBe(get('Sec-WebSocket-Key: x'));
    expect(forwarded(get(...fields, 'Upgrade: x', 'Upgrade: y'))).toBe(get('Sec-WebSocket-Key: x'));
  });

  test('does not depend on what the request before it had', () => {
    expect(requests(get('Upgrade: x', 'Upgrade: y') + get(...fields)).messages[1]?.asksForUpgrade).toBe(true);
    expect(requests(get('Upgrade: x') + get(fields[0])).messages[1]?.asksForUpgrade).toBe(false);
  });

  test('leaves what comes behind it to whoever goes on', () => {
    expect(requests(`${get(...fields)}\x81\x05hello`).unread).toBe('\x81\x05hello');
  });
});

describe('a request that is refused', () => {
  function failed(text: string): { method: string; target: string; accept: string | undefined } {
    const one = reader();
    const first = bytesOf(post('Accept: secret', 'Content-Length: 0'));
    one.push(first, 0, first.length);
    while (one.next() !== 'more');
    const bytes = bytesOf(text);
    one.push(bytes, 0, bytes.length);
    expect(one.next()).toBe('failed');
    expect(one.next()).toBe('failed');
    const { method, target } = one.head;
    return { method, target, accept: one.head.valueOf(field.accept) };
  }

  test('has its method and target told where they could be read', () => {
    expect(failed(head('PUT /x HTTP/1.1', 'Accept: a'))).toEqual({ method: 'PUT', target: '/x', accept: 'a' });
    expect(failed(line('PUT /x HTTP/1.1', 'Content-Length: x'))).toMatchObject({ method: 'PUT', target: '/x' });
  });

  test('has nothing told of the one before it', () => {
    for (const text of ['G\0', line('PUT /x HTTP/1.1', 'X : y'), line('PUT /x HTTP/1.1', 'Accept: a', 'X : y')]) {
      const { method, target, accept } = failed(text);
      expect([method, target, accept ?? '']).toEqual(['', '', '']);
    }
  });
});

describe('methods', () => {
  test('that may be sent again are told from others', () => {
    const idempotent = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'POST', 'PATCH', 'get', 'QUERY'].filter(
      (method) => {
        const one = reader();
        const bytes = bytesOf(line(`${method} / HTTP/1.1`));
        one.push(bytes, 0, bytes.length);
        one.next();
        return one.head.isIdempotent;
      },
    );
    expect(idempotent).toEqual(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);
  });
});
