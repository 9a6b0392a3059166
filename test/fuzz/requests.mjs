import { below, oneOf, perhaps, times } from './chance.mjs';
import { addField, fieldLine, fillChunks, someContent, someField, written } from './message-parts.mjs';
import { commonSpoilers, spoiledBytes } from './spoilers.mjs';

/** Requests by chance: one to three on a connection, good ones and spoiled ones. */

const methods = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'];
const targets = [
  '/',
  '/',
  '/a/b?c=d&e=%20',
  '/?',
  '//b.example/',
  '/a;b,c',
  '/{x}|"<>^`\\',
  '/[::1]',
  '/%00',
  '/:80@x',
  '/a/../b',
];
const hosts = ['a.example', 'a.example', 'A.Example:80', '[::1]:8080', '127.0.0.1', '', 'a_b.example'];

/** @returns {import('./message-parts.mjs').Message} */
function goodRequest(random) {
  const host = oneOf(random, hosts);
  const message = {
    before: perhaps(random, 0.05) ? '\r\n' : '',
    start: [oneOf(random, methods), ' ', oneOf(random, targets), ' ', 'HTTP/1.1', '\r\n'],
    fields: [fieldLine('Host', host), ...times(random, 5, () => someField(random))],
    headEnd: '\r\n',
    body: '',
    chunks: [],
    trailers: [],
    trailerEnd: '',
  };
  if (perhaps(random, 0.1) && host !== '')
    message.start[2] = oneOf(random, [`http://${host}`, `http://${host}/x?y`, `HTTP://${host}?q`, `https://${host}/`]);
  if (perhaps(random, 0.04)) [message.start[0], message.start[2]] = ['OPTIONS', '*'];
  const kind = below(random, 10);
  if (kind < 3) {
    message.body = someContent(random);
    addField(random, message, fieldLine(oneOf(random, ['Content-Length', 'content-length']), `${message.body.length}`));
  } else if (kind < 7) {
    fillChunks(random, message);
    addField(
      random,
      message,
      fieldLine(
        oneOf(random, ['Transfer-Encoding', 'transfer-encoding']),
        oneOf(random, ['chunked', 'chunked', 'Chunked']),
      ),
    );
  }
  if (kind > 1 && kind < 7 && perhaps(random, 0.1))
    addField(random, message, fieldLine('Expect', oneOf(random, ['100-continue', '100-Continue'])));
  if (perhaps(random, 0.06) && kind >= 7) {
    addField(random, message, fieldLine('Connection', 'Upgrade'));
    addField(random, message, fieldLine('Upgrade', oneOf(random, ['websocket', 'h2c', 'TLS/1.0'])));
  }
  if (perhaps(random, 0.08) && kind < 3) {
    message.start[4] = 'HTTP/1.0';
    if (perhaps(random, 0.5)) message.fields = message.fields.filter(({ name }) => name !== 'Host');
  }
  if (perhaps(random, 0.1))
    addField(random, message, fieldLine('Connection', oneOf(random, ['close', 'keep-alive', 'X-One', 'TE, x-two'])));
  if (perhaps(random, 0.05)) addField(random, message, fieldLine('TE', 'trailers'));
  return message;
}

const spoilers = [
  ...commonSpoilers,
  onStart(0, [
    'CONNECT',
    'get',
    'PRI',
    'G=T',
    'GET\0',
    '',
    ' GET',
    'GE T',
    '\rGET',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJK',
    'X-NEW',
    'QUERY',
  ]),
  onStart(1, ['  ', '\t', '', '\x0b', '\r', '\n', '\xa0']),
  onStart(2, [
    'http://b.example/',
    'http://a.example@b.example/',
    'http:///',
    'http://a.example',
    'a.example:443',
    '*',
    '',
    '/a b',
    '/a\tb',
    '/a#b',
    '/\0',
    '/\xe9',
    'ftp://a.example/',
    'http:/a.example',
    '/ HTTP/1.1\r\nHost: b.example',
    'x',
    '?a',
    'https://a.example:443/',
    'http://a.example:443/',
    'http://a.example:080/',
    'http://[::1]:8080/',
    '/\x7f',
  ]),
  onStart(3, ['  ', '\t', '', '\r', '\n', '\x0c']),
  onStart(4, [
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/2.0',
    'HTTP/0.9',
    'http/1.1',
    'HTTP/1.10',
    'HTTP/01.1',
    'HTTP/1',
    'HTTP/ 1.1',
    'HTTP/1.1 ',
    'HTTP/1,1',
    '',
    'HTTPS/1.1',
    'ICE/1.0',
    'RTSP/1.0',
    'HTTP/1.1\t',
    'HTTP/1.1\0',
  ]),
  onStart(5, ['\n', '\r', '\r\r\n', '\r\n ', '', '\r\n\r\n', ' \r\n']),
  (random, message) => {
    message.before = oneOf(random, ['\r\n', '\n', '\r', '\r\n\r\n', ' ', '\0', '\t\r\n']);
  },
  (random, message) =>
    addField(
      random,
      message,
      fieldLine(
        'Host',
        oneOf(random, [
          'b.example',
          'a.example',
          'a.example, b.example',
          'a.example/b',
          'a@b',
          'a:b',
          'a b',
          '[::1',
          '::1',
          'a:80:80',
          'a.example:',
          '%61',
        ]),
      ),
    ),
  (random, message) =>
    addField(
      random,
      message,
      fieldLine(
        'Expect',
        oneOf(random, ['100-continue', '', 'x 100-continue', '200-ok', '100-continue, x', '100-continue\t']),
      ),
    ),
];

function onStart(part, list) {
  return (random, message) => {
    message.start[part] = oneOf(random, list);
  };
}

/**
 * @param {import('./chance.mjs').Random} random
 * @param {readonly string[]} corpus known attacks, some of which are spoiled further
 */
export function someRequests(random, corpus) {
  if (corpus.length > 0 && perhaps(random, 0.1)) return spoiledBytes(random, oneOf(random, corpus));
  const messages = [goodRequest(random), ...times(random, 2, () => goodRequest(random))];
  // Two in five are left as they are: what is refused tests nothing beyond itself.
  if (perhaps(random, 0.6)) {
    const spoiled = oneOf(random, messages);
    for (let more = 1 + below(random, 2); more > 0; more--) oneOf(random, spoilers)(random, spoiled);
  }
  const text = messages.map(written).join('');
  return perhaps(random, 0.15) ? spoiledBytes(random, text) : text;
}
