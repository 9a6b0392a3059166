import { below, oneOf, perhaps, times } from './chance.mjs';
import { addField, fieldLine, fillChunks, someContent, someField, written } from './message-parts.mjs';
import { commonSpoilers, spoiledBytes } from './spoilers.mjs';

/** The answers to one request by chance: interim ones and a final one, good ones and spoiled ones. */

const statuses = [
  [200, 'OK'],
  [200, 'OK'],
  [201, 'Created'],
  [204, 'No Content'],
  [206, 'Partial Content'],
  [302, 'Found'],
  [304, 'Not Modified'],
  [404, 'Not Found'],
  [426, 'Upgrade Required'],
  [500, ''],
  [599, 'caf\xe9\tx'],
  [205, 'Reset Content'],
];
const interims = [
  [100, 'Continue'],
  [102, 'Processing'],
  [103, 'Early Hints'],
];

function message(random, [status, reason]) {
  return {
    before: '',
    start: ['HTTP/1.1', ' ', `${status}`, ' ', reason, '\r\n'],
    fields: times(random, 5, () => someField(random)),
    headEnd: '\r\n',
    body: '',
    chunks: [],
    trailers: [],
    trailerEnd: '',
  };
}

function goodResponse(random, isForHead) {
  const response = message(random, oneOf(random, statuses));
  const status = Number(response.start[2]);
  const hasNone = isForHead || status === 204 || status === 304;
  const kind = below(random, 10);
  if (kind < 4) {
    const body = someContent(random);
    if (!hasNone) response.body = body;
    if (status !== 204) addField(random, response, fieldLine('Content-Length', `${body.length}`));
  } else if (kind < 7) {
    if (!hasNone) fillChunks(random, response);
    if (status !== 204) addField(random, response, fieldLine('Transfer-Encoding', 'chunked'));
  } else if (!hasNone) {
    response.body = someContent(random);
  }
  if (perhaps(random, 0.1) && kind < 4) response.start[0] = 'HTTP/1.0';
  if (status === 426) addField(random, response, fieldLine('Upgrade', 'websocket'));
  if (perhaps(random, 0.15))
    addField(random, response, fieldLine('Connection', oneOf(random, ['close', 'keep-alive', 'X-One', 'Upgrade'])));
  if (perhaps(random, 0.1) && response.start[4] === '') response.start[3] = '';
  return response;
}

const spoilers = [
  ...commonSpoilers,
  onStart(0, ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1', '', 'ICY', 'HTTP/1.1\0']),
  onStart(1, ['  ', '\t', '', '\r\n']),
  onStart(2, [
    '99',
    '1000',
    '20',
    '2x0',
    '099',
    '-20',
    '',
    '101',
    '199',
    '100',
    '600',
    '999',
    '204',
    '304',
    '200\0',
    '+20',
    '000',
  ]),
  onStart(3, ['', '  ', '\t', '\r']),
  onStart(4, ['', 'O\0K', 'OK\rX: y', 'OK\nX: y', '\x7f', 'a\tb', ' ']),
  onStart(5, ['\n', '\r', '\r\r\n', '\r\n ', '', '\r\n\r\n', ' \r\n']),
  (random, response) => {
    response.before = oneOf(random, ['\r\n', '\n', '\r', ' ', '\0']);
  },
  (random, response) => {
    response.start[2] = '101';
    addField(random, response, fieldLine('Connection', 'Upgrade'));
    addField(random, response, fieldLine('Upgrade', 'websocket'));
  },
];

function onStart(part, list) {
  return (random, response) => {
    response.start[part] = oneOf(random, list);
  };
}

/**
 * @param {import('./chance.mjs').Random} random
 * @param {readonly string[]} corpus known attacks, some of which are spoiled further
 */
export function someResponses(random, corpus, isForHead) {
  if (corpus.length > 0 && perhaps(random, 0.1)) return spoiledBytes(random, oneOf(random, corpus));
  const early = perhaps(random, 0.2) ? times(random, 2, () => message(random, oneOf(random, interims))) : [];
  const responses = [...early, goodResponse(random, isForHead)];
  if (perhaps(random, 0.6)) {
    const spoiled = oneOf(random, responses);
    for (let more = 1 + below(random, 2); more > 0; more--) oneOf(random, spoilers)(random, spoiled);
  }
  const text = responses.map(written).join('');
  return perhaps(random, 0.15) ? spoiledBytes(random, text) : text;
}
