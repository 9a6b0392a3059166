import { below, oneOf, perhaps } from './chance.mjs';
import { addField, extensions, fieldLine, plainBytes, someContent, someField, values } from './message-parts.mjs';

/**
 * Ways to spoil a message of either kind: what parsers are known to read in two ways, where it hurts.
 *
 * @typedef {import('./message-parts.mjs').Message} Message
 * @typedef {import('./message-parts.mjs').FieldLine} FieldLine
 */

const lineEnds = [
  '\n',
  '\r',
  '\r\r\n',
  '\n\r',
  '\r\n\r\n',
  '\r\n ',
  '\r\n\t',
  '\0\r\n',
  ' \r\n',
  '\t\r\n',
  '\r\n\n',
  '',
  '\x0b\r\n',
  ',\r\n',
];
const gaps = ['', '  ', '\t', ' \t ', '\x0b', '\x0c', '\xa0', '\r\n ', '\n ', '\r', '\0', '\x85', '+', '"', ','];
const colons = [' :', '\t:', '::', '', '\x0b:', '\0:', '\r:', '\n:', ':\r\n', '=', '\x7f:', '\xa0:'];
const bodySizes = ['0', '1', '5', '7', '10', '64'];
const lengths = [
  '+5',
  '-5',
  '-0',
  '0x5',
  '005',
  '5 ',
  ' 5',
  '5,5',
  '5, 6',
  '1_0',
  '5.0',
  '5e0',
  '',
  '00',
  '18446744073709551621',
  '9007199254740992',
  '9007199254740991',
  '\xb25',
  '5;',
  '"5"',
  '5\0',
  '5\x0b',
  '0o5',
  '5 5',
  '4294967301',
];
const codings = [
  'chunked',
  'Chunked',
  'CHUNKED',
  'chunked ',
  'chunked\t',
  '\tchunked',
  'xchunked',
  'chunkedx',
  'chunked, chunked',
  'identity',
  'chunked, identity',
  'identity, chunked',
  'gzip, chunked',
  'gzip',
  '"chunked"',
  "'chunked'",
  'chunked;a=b',
  'chunked,',
  ',chunked',
  '',
  'chunk',
  'ch\x96nked',
  '\xa0chunked',
  'chunked\x85',
  'chunked\0',
  'x chunked',
  'chunked chunked',
];
const connections = [
  'close',
  'keep-alive',
  'Upgrade',
  'close, keep-alive',
  'X-One',
  'Content-Length',
  'Host',
  'Transfer-Encoding, x-two',
  'X-Forwarded-For',
  'Upgrade, HTTP2-Settings',
  '',
  ',',
  ', ,close',
  'cookie',
  'a',
  'TE',
  'Trailer',
  'Via',
  '\xa0close',
  'Expect',
  'Accept',
];

/** @type {readonly ((random: import('./chance.mjs').Random) => FieldLine)[]} */
const nastyFields = [
  (random) => fieldLine('Content-Length', oneOf(random, [...lengths, ...bodySizes])),
  (random) => fieldLine('Transfer-Encoding', oneOf(random, codings)),
  (random) => fieldLine('Connection', oneOf(random, connections)),
  (random) =>
    fieldLine(
      oneOf(random, [
        'Content_Length',
        'content_length',
        'Transfer_Encoding',
        'X_Forwarded_For',
        'Keep_Alive',
        'Content-Length\0',
        'Content Length',
        ' Content-Length',
        'Transfer-Encoding\x0b',
        'Transf\x82r-Encoding',
        'Transfer-%45ncoding',
        'x-forwarded_for',
        'Transfer\\Encoding',
        '',
        '\x7f',
        '\xe9',
        '(a)',
        'a@b',
      ]),
      oneOf(random, ['5', 'chunked']),
    ),
  (random) => fieldLine('Upgrade', oneOf(random, ['websocket', 'h2c', 'H2C', 'websocket, h2c', '', 'TLS/1.0'])),
  (random) => fieldLine('HTTP2-Settings', oneOf(random, ['AAMAAABkAARAAAAAAAIAAAAA', ''])),
  (random) =>
    fieldLine(
      oneOf(random, ['Trailer', 'TE', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'Proxy-Authenticate']),
      oneOf(random, ['trailers', 'trailers, deflate', 'gzip', 'Content-Length', 'X-One', 'timeout=5']),
    ),
  (random) =>
    fieldLine(
      oneOf(random, [
        'X-Forwarded-For',
        'X-Forwarded-Port',
        'X-Forwarded-Proto',
        'X-Forwarded-Host',
        'x-forwarded-ssl',
        'Forwarded',
        'X-Real-IP',
        'X-Request-Id',
        'Via',
      ]),
      oneOf(random, values),
    ),
  (random) => someField(random),
];

/** Ways to spoil any message. @type {readonly ((random: import('./chance.mjs').Random, message: Message) => void)[]} */
export const commonSpoilers = [
  (random, message) => addField(random, message, oneOf(random, nastyFields)(random)),
  (random, message) => addField(random, message, oneOf(random, nastyFields)(random)),
  (random, message) => addField(random, message, oneOf(random, nastyFields)(random)),
  onField((random, field) => {
    field.end = oneOf(random, lineEnds);
  }),
  onField((random, field) => {
    field.gap = oneOf(random, gaps);
  }),
  onField((random, field) => {
    field.colon = oneOf(random, colons);
  }),
  onField((random, field) => {
    field.name = oneOf(random, [
      field.name.toUpperCase(),
      field.name.toLowerCase(),
      field.name.replaceAll('-', '_'),
      ` ${field.name}`,
      `\t${field.name}`,
      `${field.name}\0`,
      `\r${field.name}`,
      `${field.name} x`,
      `X-${field.name}`,
      `\x0b${field.name}`,
    ]);
  }),
  onField((random, field) => {
    field.value += oneOf(random, [
      '\0',
      '\r',
      '\n',
      '\x0b',
      '\x7f',
      ',',
      ';',
      ' ',
      '\t',
      '\xa0',
      '\r\n\tfolded',
      '\rX: y',
      '\nX: y',
      '\x01',
      '\x1f',
    ]);
  }),
  onField((_random, field, message) => {
    message.fields.splice(message.fields.indexOf(field), 1);
  }),
  onField((random, field, message) => addField(random, message, { ...field })),
  onField((random, field, message) => addField(random, message, { ...field, value: oneOf(random, values) })),
  (random, message) => {
    message.headEnd = oneOf(random, ['\n', '\r', '', '\r\r\n', '\n\r\n', '\r\n\r\n', ' \r\n', '\0\r\n']);
  },
  (random, message) => {
    message.body = oneOf(random, [
      `${message.body}x`,
      message.body.slice(1),
      `${message.body}\r\n`,
      `0\r\n\r\n${message.body}`,
      someContent(random),
    ]);
  },
  onChunk((random, chunk) => {
    const { size } = chunk;
    chunk.size = oneOf(random, [
      `0x${size}`,
      `+${size}`,
      `-${size}`,
      ` ${size}`,
      `${size} `,
      `\t${size}`,
      `${size}\t`,
      `${size}_0`,
      `1_${size}`,
      '',
      '-1',
      `${size}g`,
      `${size}\0`,
      `"${size}"`,
      `10000000${size.padStart(8, '0')}`,
      `1${size.padStart(16, '0')}`,
      'ffffffffffffffff',
      '7fffffffffffffff',
      '100000000',
      `00000000000000${size}`,
      `${size}.0`,
      `${size}\x0b`,
      `${size},${size}`,
      `\r\n${size}`,
    ]);
  }),
  onChunk((random, chunk) => {
    chunk.extension = oneOf(random, [
      ...extensions,
      ' ;a',
      ';\n',
      ';\r',
      ';a=b\nX',
      ';\rX',
      ';\r\rX',
      ';a\0',
      ' a',
      ';a="\n"',
      ';a="\r\n"',
      '\t;a',
      ';\x7f',
      ';a\x0b',
      `;${'a'.repeat(20)}`,
      ';xx\r\n4\r\n',
    ]);
  }),
  onChunk((random, chunk) => {
    chunk.lineEnd = oneOf(random, lineEnds);
  }),
  onChunk((random, chunk) => {
    chunk.end = oneOf(random, ['', '\n', '\r', '\rX', 'XX', '\r\r', '\r\n\r\n', '\n\r', '\0\r\n', ' \r\n']);
  }),
  onChunk((random, chunk) => {
    chunk.data = oneOf(random, [`${chunk.data}x`, chunk.data.slice(1), `${chunk.data}\r\n`, '']);
  }),
  onChunk((_random, chunk, message) => {
    message.chunks.splice(message.chunks.indexOf(chunk), 1);
  }),
  (random, message) => {
    if (message.chunks.length > 0) message.trailers.push(oneOf(random, nastyFields)(random));
  },
  (random, message) => {
    message.trailerEnd = oneOf(random, ['', '\n', '\r', '\r\r\n', '\n\n', ' \r\n', '\r\n\r\n']);
  },
];

function onField(spoil) {
  return (random, message) => {
    const lines = perhaps(random, 0.2) && message.trailers.length > 0 ? message.trailers : message.fields;
    if (lines.length > 0) spoil(random, oneOf(random, lines), message);
  };
}

function onChunk(spoil) {
  return (random, message) => {
    if (message.chunks.length > 0) spoil(random, oneOf(random, message.chunks), message);
  };
}

const nastyBytes = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  '\x0b',
  '\x0c',
  '\x7f',
  ':',
  ',',
  ';',
  '_',
  '-',
  '+',
  '0',
  '1',
  'f',
  '"',
  '\xa0',
  '\xff',
  '\x85',
  '#',
  '/',
  '?',
  '\\',
  '@',
  '[',
  '%',
];

/**
 * Spoils bytes without regard to what they are.
 *
 * @param {import('./chance.mjs').Random} random
 * @param {string} text
 */
function spoilBytes(random, text) {
  const at = below(random, text.length + 1);
  const size = 1 + below(random, 4);
  switch (below(random, 7)) {
    case 0:
      return text.slice(0, at) + oneOf(random, nastyBytes) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + size);
    case 2:
      return text.slice(0, at) + oneOf(random, nastyBytes) + text.slice(at + 1);
    case 3: {
      const from = below(random, text.length + 1);
      return text.slice(0, at) + text.slice(from, from + below(random, 30)) + text.slice(at);
    }
    case 4:
      return text.slice(0, at) + oneOf(random, plainBytes) + text.slice(at + 1);
    case 5:
      return text.slice(0, at);
    default:
      return text.slice(0, at) + (text[at + 1] ?? '') + (text[at] ?? '') + text.slice(at + 2);
  }
}

/** A few times, or not at all. */
export function spoiledBytes(random, text) {
  let spoiled = text;
  for (let more = below(random, 3); more > 0; more--) spoiled = spoilBytes(random, spoiled);
  return spoiled;
}
