import { below, oneOf, perhaps, times } from './chance.mjs';

/**
 * Messages taken apart, so that one part at a time can be spoiled, and the parts that requests and answers have in common.
 *
 * @typedef {object} FieldLine
 * @property {string} name
 * @property {string} colon
 * @property {string} gap
 * @property {string} value
 * @property {string} end blanks and line end
 *
 * @typedef {object} Chunk
 * @property {string} size
 * @property {string} extension
 * @property {string} lineEnd
 * @property {string} data
 * @property {string} end
 *
 * @typedef {object} Message
 * @property {string} before
 * @property {string[]} start the start line, in parts that are joined as they are
 * @property {FieldLine[]} fields
 * @property {string} headEnd
 * @property {string} body of one that is not chunked
 * @property {Chunk[]} chunks with the last one
 * @property {FieldLine[]} trailers
 * @property {string} trailerEnd
 */

/** @returns {FieldLine} */
export function fieldLine(name, value) {
  return { name, colon: ':', gap: ' ', value, end: '\r\n' };
}

/** @param {Message} message */
export function written({ before, start, fields, headEnd, body, chunks, trailers, trailerEnd }) {
  const lines = (list) => list.map(({ name, colon, gap, value, end }) => name + colon + gap + value + end).join('');
  const chunked = chunks
    .map(({ size, extension, lineEnd, data, end }) => size + extension + lineEnd + data + end)
    .join('');
  return (
    before +
    start.join('') +
    lines(fields) +
    headEnd +
    body +
    chunked +
    (chunks.length > 0 ? lines(trailers) + trailerEnd : '')
  );
}

export const plainBytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
/** What content must not be taken for. */
const content = [
  'hello',
  '0\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: b.example\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  '\r\n',
  '\n\n',
  '5\r\nhello\r\n',
  '',
];

export function someContent(random) {
  if (perhaps(random, 0.6)) return oneOf(random, content);
  return Array.from({ length: below(random, 40) }, () => oneOf(random, plainBytes)).join('');
}

const names = [
  'X-One',
  'x-two',
  'Accept',
  'User-Agent',
  'Cookie',
  'ETag',
  "X'odd",
  'x_under',
  'a',
  'X-Request-Id',
  'Via',
  'Cache-Control',
  'Trailer',
  'Keep-Alive',
  'X-Forwarded-For',
  'Forwarded',
];
export const values = [
  '1',
  '',
  'a, b',
  'two words',
  '"quoted, text"',
  'caf\xe9',
  'a\tb',
  '*/*',
  'x;q=0.5',
  'chunked',
  '5',
  'a: b',
  '\xa0',
  'for=192.0.2.7;proto=https',
  '1.1 other',
];

export function someField(random) {
  return fieldLine(oneOf(random, names), oneOf(random, values));
}

const trailerNames = [
  'X-Checksum',
  'grpc-status',
  'ETag',
  'Server-Timing',
  'x_under',
  'Host',
  'Content-Length',
  'Transfer-Encoding',
  'Content_Length',
  'Set-Cookie',
  'X-Forwarded-For',
  'Authorization',
  'Trailer',
  'Via',
];

/** @param {Message} message gets a chunked body */
export function fillChunks(random, message) {
  const chunks = times(random, 3, () => {
    const data = someContent(random) || 'x';
    return chunkOf(random, sizeOf(random, data.length), data);
  });
  const last = { ...chunkOf(random, oneOf(random, ['0', '0', '0', '00', '0000']), ''), end: '' };
  message.chunks = [...chunks, last];
  message.trailers = perhaps(random, 0.3)
    ? times(random, 3, () => fieldLine(oneOf(random, trailerNames), oneOf(random, values)))
    : [];
  message.trailerEnd = '\r\n';
}

function sizeOf(random, size) {
  const digits = size.toString(16);
  return oneOf(random, [digits, digits, digits.toUpperCase(), `0${digits}`, `000${digits}`]);
}

export const extensions = ['', '', '', '', ';a', ';a=b', ';a="b;c"', ';a="\\""', ';', ';a=b;c=d', ';\xe9', '; a = b'];

function chunkOf(random, size, data) {
  return { size, extension: oneOf(random, extensions), lineEnd: '\r\n', data, end: '\r\n' };
}

/** @param {Message} message gets a field anywhere */
export function addField(random, message, field) {
  message.fields.splice(below(random, message.fields.length + 1), 0, field);
}
