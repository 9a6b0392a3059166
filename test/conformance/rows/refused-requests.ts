import { http } from '../message.ts';
import { get, post, type Refusal, refuses } from '../plays.ts';
import type { Group, Row } from '../row.ts';
import { handshake } from '../websocket.ts';

/** What a member would read as a second request if it framed the first one otherwise. */
const smuggled = http('GET /smuggled HTTP/1.1', 'Host: a.example');
const noBody = `0\r\n\r\n${smuggled}`;
const long = 'x'.repeat(20_000);

function refused(
  id: string,
  what: string,
  message: string,
  { status = 400, isClear = false }: Partial<Refusal> = {},
): Row {
  return { id, title: `${what}: ${status}`, run: (stage) => refuses(stage, message, { status, isClear }) };
}

/** What is wrong with it leaves no doubt about where it ends. */
function clear(id: string, what: string, message: string, status = 400): Row {
  return refused(id, what, message, { status, isClear: true });
}

/** A POST whose length two recipients may see differently. */
function framing(id: string, what: string, ...fields: readonly string[]): Row {
  return refused(id, what, post(...fields) + noBody);
}

function upgradeWith(field: string): string {
  return handshake.replace('\r\n\r\n', `\r\n${field}\r\n\r\n`);
}

export const refusedRequests: Group = {
  title: 'Requests that are refused',
  note: 'The client gets the status, nothing reaches the member, and where it is in doubt what comes next, the connection is closed.',
  rows: [
    framing(
      'length-and-chunked',
      'Content-Length and Transfer-Encoding',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
    ),
    framing('two-lengths', 'Two Content-Length', 'Content-Length: 5', 'Content-Length: 6'),
    framing('two-equal-lengths', 'Two equal Content-Length', 'Content-Length: 5', 'Content-Length: 5'),
    framing('length-list', '`Content-Length: 5, 5`', 'Content-Length: 5, 5'),
    framing('length-plus', '`Content-Length: +4`', 'Content-Length: +4'),
    framing('length-minus', '`Content-Length: -1`', 'Content-Length: -1'),
    framing('length-hex', '`Content-Length: 0x5`', 'Content-Length: 0x5'),
    framing('length-huge', 'A Content-Length beyond 64 bits', 'Content-Length: 18446744073709551621'),
    framing('length-empty', 'An empty Content-Length', 'Content-Length:'),
    framing('chunked-not-last', '`Transfer-Encoding: chunked, gzip`', 'Transfer-Encoding: chunked, gzip'),
    framing('gzip-chunked', '`Transfer-Encoding: gzip, chunked`', 'Transfer-Encoding: gzip, chunked'),
    framing('chunked-twice', '`Transfer-Encoding: chunked, chunked`', 'Transfer-Encoding: chunked, chunked'),
    framing('two-codings', 'Two Transfer-Encoding', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
    framing('xchunked', '`Transfer-Encoding: xchunked`', 'Transfer-Encoding: xchunked'),
    framing('identity', '`Transfer-Encoding: identity`', 'Content-Length: 5', 'Transfer-Encoding: identity'),
    framing(
      'coding-vertical-tab',
      'A control character before `chunked`',
      'Content-Length: 5',
      'Transfer-Encoding: \vchunked',
    ),
    refused(
      'chunked-http10',
      'Transfer-Encoding in HTTP/1.0',
      `${http('POST / HTTP/1.0', 'Host: a.example', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    ),
    framing('blank-before-colon', 'A blank before the colon', 'Content-Length: 5', 'Transfer-Encoding : chunked'),
    refused('folded-line', 'A folded line', get('X-One: 1', ' folded')),
    refused(
      'folded-first-line',
      'A first field that is folded',
      http('GET / HTTP/1.1', ' Host: a.example', 'Host: a.example'),
    ),
    refused('cr-in-value', 'CR in a value', get('X-One: 1\rX-Two: 2')),
    refused('nul-in-value', 'NUL in a value', get('X-One: 1\0')),
    refused('lf-in-head', 'A line that ends in LF alone', get('X-One: 1\nX-Two: 2')),
    refused('no-colon', 'A line without a colon', get('X-One')),
    refused('empty-name', 'A field without a name', get(': 1')),
    clear('no-host', 'No Host', http('GET / HTTP/1.1', 'X-One: 1')),
    clear('two-hosts', 'Two Host', get('Host: b.example')),
    clear('two-equal-hosts', 'Two equal Host', get('Host: a.example')),
    clear('malformed-host', 'A Host that is none', http('GET / HTTP/1.1', 'Host: a.example/b@c')),
    clear(
      'absolute-other-host',
      'A target with another host',
      http('GET http://b.example/ HTTP/1.1', 'Host: a.example'),
    ),
    refused('http09', 'HTTP/0.9', 'GET /\r\n\r\n'),
    refused('http09-with-fields', 'HTTP/0.9 with fields, after a bare LF', 'GET /\nHost: a.example\r\n\r\n'),
    clear('http2-version', '`HTTP/2.0` in the request line', get().replace('HTTP/1.1', 'HTTP/2.0'), 505),
    refused('nul-in-target', 'NUL in the target', get().replace('/ ', '/\0 ')),
    refused('blank-in-target', 'A blank in the target', get().replace('/ ', '/a b ')),
    clear('unknown-expectation', 'An unknown expectation', post('Expect: 200-ok', 'Content-Length: 0'), 417),
    clear('connect', 'CONNECT', http('CONNECT b.example:443 HTTP/1.1', 'Host: b.example:443'), 405),
    clear('long-target', 'A target of 20 kB', get().replace('/ ', `/${long} `), 414),
    clear('long-head', 'A field of 20 kB', get(`X-Long: ${long}`), 431),
    {
      ...refused('upgrade-with-length', 'An upgrade with Content-Length', `${upgradeWith('Content-Length: 5')}hello`),
      needs: 'upgrades',
    },
    {
      ...refused(
        'upgrade-with-chunks',
        'An upgrade with a chunked body',
        upgradeWith('Transfer-Encoding: chunked') + noBody,
      ),
      needs: 'upgrades',
    },
  ],
};
