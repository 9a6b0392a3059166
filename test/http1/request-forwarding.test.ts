import { describe, expect, test } from 'vitest';
import { chunked, fieldsOf, forwarded, get, head, hop, post } from '../fixtures/http1.ts';

const all = ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto', 'Forwarded', 'X-Request-Id', 'Via'];

/** What goes on of these fields of a request. */
function goesOn(...fields: readonly string[]): readonly string[] {
  return fieldsOf(forwarded(get(...fields))).slice(1);
}

describe('a request goes on', () => {
  test('as it came, where nothing is to be done', () => {
    const text = head(
      'PATCH /a?b HTTP/1.1',
      'accept: */*',
      'Host:a.example',
      'X-One:  1 ',
      'x-one: 2',
      'Cookie: a=b; c=d',
    );
    expect(forwarded(text)).toBe(text);
  });

  test('without any fields that are of one hop only, or of nobody', () => {
    const fields = [
      'Connection: keep-alive',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: close',
      'Proxy-Authorization: x',
      'TE: gzip',
      'Upgrade: x',
      'HTTP2-Settings: x',
      'Proxy-Authenticate: x',
      'Proxy: x',
    ];
    expect(goesOn('A: 1', ...fields, 'B: 2')).toEqual(['A: 1', 'B: 2']);
    for (const each of fields) {
      expect(goesOn(each)).toEqual([]);
      expect(goesOn('A: 1', each)).toEqual(['A: 1']);
      expect(goesOn(each, 'B: 2')).toEqual(['B: 2']);
      expect(goesOn('A: 1', each, each, 'B: 2')).toEqual(['A: 1', 'B: 2']);
    }
  });

  test('without its first field, if that is one of them', () => {
    expect(forwarded(head('GET / HTTP/1.1', 'Connection: close', 'Host: a'))).toBe(head('GET / HTTP/1.1', 'Host: a'));
  });

  test('without what Connection names', () => {
    expect(goesOn('Connection: X-One', 'X-One: 1', 'x-one: 2', 'X-Ones: 3', 'X-On: 4')).toEqual([
      'X-Ones: 3',
      'X-On: 4',
    ]);
    expect(goesOn('X-One: 1', 'Connection: close, X-TWO ,x-one', 'X-Two: 2', 'B: 2')).toEqual(['B: 2']);
    expect(goesOn('Connection: X-One', 'X-One: 1', 'Connection: x-two', 'X-Two: 2')).toEqual([]);
    expect(goesOn('Connection: ,, X-One,', 'X-One: 1')).toEqual([]);
    expect(goesOn('Connection: Cookie, Authorization, Accept', 'Cookie: a', 'Authorization: b', 'Accept: c')).toEqual(
      [],
    );
  });

  test('with what Connection cannot take out', () => {
    expect(forwarded(`${post('Connection: Host, Content-Length', 'Content-Length: 1')}x`)).toBe(
      `${post('Content-Length: 1')}x`,
    );
    const names = 'Connection: X-Forwarded-For, X-Forwarded-Host, Forwarded, X-Request-Id, Via, X-Real-IP';
    const fields = [
      'X-Forwarded-For: 1',
      'X-Forwarded-Host: 2',
      'Forwarded: 3',
      'X-Request-Id: 4',
      'Via: 5',
      'X-Real-IP: 6',
    ];
    expect(fieldsOf(forwarded(get(names, ...fields), { isTrusted: true })).slice(1)).toEqual(fields);
  });

  test('with what is put in, whatever Connection names', () => {
    const out = forwarded(get('Connection: X-Forwarded-For, X-Forwarded-Port, X-Request-Id, Via'), { inserts: all });
    for (const name of all) expect(out).toContain(`\r\n${name}: `);
  });

  test('with TE for trailers and nothing else, named by a Connection of ours', () => {
    expect(goesOn('TE: trailers')).toEqual(['Connection: TE', 'TE: trailers']);
    expect(goesOn('TE: trailers', 'Connection: TE, close')).toEqual(['Connection: TE', 'TE: trailers']);
    for (const value of ['', 'gzip', 'trailers, gzip', 'trailers;q=1', 'x-trailers'])
      expect(goesOn(`TE: ${value}`)).toEqual([]);
  });

  test('with Trailer where there may be one', () => {
    expect(goesOn('Trailer: X-Sum')).toEqual([]);
    expect(forwarded(`${post('Trailer: X-Sum', chunked)}0\r\n\r\n`)).toBe(
      `${post('Trailer: X-Sum', chunked)}0\r\n\r\n`,
    );
  });

  test('one by one, each with what belongs to it', () => {
    const text = `${get('Connection: X-One', 'X-One: 1', 'TE: trailers')}${get('X-One: 2')}`;
    expect(forwarded(text)).toBe(`${get('Connection: TE', 'TE: trailers')}${get('X-One: 2')}`);
  });
});

describe('of a client that nobody trusts', () => {
  const spoofs = [
    'X-Forwarded-For: 127.0.0.1',
    'x-forwarded-for: 127.0.0.2',
    'X-Forwarded-Port: 1',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: b.example',
    'X-Forwarded-Ssl: on',
    'X-Forwarded-Scheme: https',
    'X-Forwarded-Server: b',
    'X-Forwarded-Prefix: /b',
    'x-forwarded-: 1',
    'X-Forwarded-By: 127.0.0.1',
    'Forwarded: for=127.0.0.1',
    'X-Real-IP: 127.0.0.1',
    'X-Client-IP: 127.0.0.1',
    'Client-IP: 127.0.0.1',
    'X-Cluster-Client-IP: 127.0.0.1',
    'X-Forwarded: for=127.0.0.1',
    'X_Forwarded_For: 127.0.0.1',
    'X-Forwarded_Proto: https',
    'X_Real_IP: 127.0.0.1',
  ];

  for (const spoof of spoofs) {
    test(`what it says of itself does not go on: ${spoof}`, () => {
      expect(goesOn(spoof, 'A: 1')).toEqual(['A: 1']);
    });
  }

  test('only ours goes on where it is put in', () => {
    expect(fieldsOf(forwarded(get(...spoofs, 'X-Request-Id: theirs', 'A: 1'), { inserts: all }))).toEqual([
      'Host: a.example',
      'A: 1',
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-Port: 8080',
      'X-Forwarded-Proto: http',
      'Forwarded: for=192.0.2.1;proto=http',
      'X-Request-Id: made-up',
      'Via: 1.1 evenkeel',
    ]);
  });

  test('names that only begin alike go on', () => {
    const fields = ['X-Forwarder: 1', 'X-Forward-For: 2', 'XX-Forwarded-For: 3', 'Forwarded-For: 4', 'X-Request-Id: 5'];
    expect(goesOn(...fields)).toEqual(fields);
  });

  for (const name of all) {
    test(`${name} is put in alone`, () => {
      const added = fieldsOf(forwarded(get(), { inserts: [name] })).slice(1);
      expect(added).toHaveLength(1);
      expect(added[0]?.startsWith(`${name}: `)).toBe(true);
    });
  }
});

describe('of a client that is trusted', () => {
  const trusted = { isTrusted: true };

  test('what it says goes on as it came', () => {
    const fields = [
      'X-Forwarded-For: 203.0.113.7',
      'X-Forwarded-Host: b',
      'Forwarded: for=203.0.113.7',
      'X-Real-IP: 203.0.113.7',
      'X-Forwarded-Ssl: on',
    ];
    expect(fieldsOf(forwarded(get(...fields), trusted)).slice(1)).toEqual(fields);
  });

  test('what it says is added to', () => {
    const said = [
      'X-Forwarded-For: 203.0.113.7',
      'X-Forwarded-Port: 443',
      'X-Forwarded-Proto: https',
      'Forwarded: for=203.0.113.7;proto=https',
      'X-Request-Id: theirs',
      'Via: 1.1 front',
    ];
    expect(fieldsOf(forwarded(get(...said, 'A: 1'), { ...trusted, inserts: all }))).toEqual([
      'Host: a.example',
      'X-Forwarded-Port: 443',
      'X-Forwarded-Proto: https',
      'X-Request-Id: theirs',
      'A: 1',
      'X-Forwarded-For: 203.0.113.7, 192.0.2.1',
      'Forwarded: for=203.0.113.7;proto=https, for=192.0.2.1;proto=http',
      'Via: 1.1 front, 1.1 evenkeel',
    ]);
  });

  test('lists in several lines become one', () => {
    const out = forwarded(
      get('X-Forwarded-For: 203.0.113.7, 203.0.113.8', 'A: 1', 'x-forwarded-for: 203.0.113.9', 'X-Forwarded-For:'),
      {
        ...trusted,
        inserts: ['X-Forwarded-For'],
      },
    );
    expect(fieldsOf(out)).toEqual([
      'Host: a.example',
      'A: 1',
      'X-Forwarded-For: 203.0.113.7, 203.0.113.8, 203.0.113.9, 192.0.2.1',
    ]);
  });

  test('what it does not say is put in', () => {
    expect(fieldsOf(forwarded(get(), { ...trusted, inserts: all })).slice(1)).toEqual([
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-Port: 8080',
      'X-Forwarded-Proto: http',
      'Forwarded: for=192.0.2.1;proto=http',
      'X-Request-Id: made-up',
      'Via: 1.1 evenkeel',
    ]);
  });

  test('names that CGI would take for these do not go on all the same', () => {
    expect(
      fieldsOf(forwarded(get('X_Forwarded_For: 127.0.0.1', 'X-Forwarded_Host: b'), { ...trusted, inserts: all }))[1],
    ).toBe('X-Forwarded-For: 192.0.2.1');
  });
});

describe('where a request came from', () => {
  function told(changed: Partial<typeof hop>, ...inserts: readonly string[]): readonly string[] {
    return fieldsOf(forwarded(get(), { inserts, hop: { ...hop, ...changed } })).slice(1);
  }

  test('is told of IPv6 as it is, in Forwarded with brackets and quotes', () => {
    expect(told({ clientAddress: '2001:db8::1' }, 'X-Forwarded-For', 'Forwarded')).toEqual([
      'X-Forwarded-For: 2001:db8::1',
      'Forwarded: for="[2001:db8::1]";proto=http',
    ]);
  });

  test('is told in Forwarded without the name of an interface, which means nothing elsewhere', () => {
    expect(told({ clientAddress: 'fe80::1%eth0' }, 'Forwarded')).toEqual(['Forwarded: for="[fe80::1]";proto=http']);
  });

  test('is unknown on a Unix socket', () => {
    const nowhere = { clientAddress: undefined, localAddress: undefined, localPort: undefined };
    expect(told(nowhere, ...all)).toEqual([
      'X-Forwarded-Proto: http',
      'Forwarded: for=unknown;proto=http',
      'X-Request-Id: made-up',
      'Via: 1.1 evenkeel',
    ]);
    expect(
      fieldsOf(forwarded(get('X-Forwarded-For: 127.0.0.1'), { inserts: all, hop: { ...hop, ...nowhere } })),
    ).not.toContain('X-Forwarded-For: 127.0.0.1');
  });

  test('is told with the protocol of the listener', () => {
    expect(told({ protocol: 'https' }, 'X-Forwarded-Proto', 'Forwarded')).toEqual([
      'X-Forwarded-Proto: https',
      'Forwarded: for=192.0.2.1;proto=https',
    ]);
  });
});

describe('Via', () => {
  test('is a list that we stand at the end of, trusted or not', () => {
    const out = forwarded(get('Via: 1.1 a', 'via: 1.0 b (c, d)'), { inserts: ['Via'] });
    expect(fieldsOf(out)).toEqual(['Host: a.example', 'Via: 1.1 a, 1.0 b (c, d), 1.1 evenkeel']);
  });

  test('tells of the version that came in', () => {
    expect(forwarded(head('GET / HTTP/1.0', 'Host: a'), { inserts: ['Via'] })).toBe(
      head('GET / HTTP/1.1', 'Host: a', 'Via: 1.0 evenkeel'),
    );
  });

  test('goes on as it came where it is not put in', () => {
    expect(goesOn('Via: 1.1 a', 'Via: 1.1 b')).toEqual(['Via: 1.1 a', 'Via: 1.1 b']);
  });
});
