/**
 * A relay without sockets: reads what one side sent and says what an engine that is built on the codec writes to the other side.
 * Bytes are strings of characters up to 0xff here, so that they are easy to compare and to look at.
 *
 * The codec comes in as a parameter, since the suite tests the sources and `npm run fuzz` what was built of them.
 *
 * @typedef {object} Codec the modules of src/http1 in one object, and how text becomes bytes
 * @property {typeof import('../../src/http1/message-reader.ts').MessageReader} MessageReader
 * @property {typeof import('../../src/http1/message-reader.ts').requestFraming} requestFraming
 * @property {typeof import('../../src/http1/message-reader.ts').responseFraming} responseFraming
 * @property {typeof import('../../src/http1/request-head.ts').RequestHead} RequestHead
 * @property {typeof import('../../src/http1/response-head.ts').ResponseHead} ResponseHead
 * @property {typeof import('../../src/http1/request-forwarding.ts').RequestForwarding} RequestForwarding
 * @property {typeof import('../../src/http1/response-forwarding.ts').responseHead} responseHead
 * @property {import('../../src/http1/limits.ts').Limits} defaultLimits
 * @property {import('../../src/http1/bytes.ts').Decode} decode
 * @property {(text: string) => Uint8Array} encode
 *
 * @typedef {readonly [name: string, value: string]} Field
 *
 * @typedef {object} RelayedMessage
 * @property {readonly Field[]} fields as they came in
 * @property {string} method
 * @property {string} target as it goes on
 * @property {number} status
 * @property {string} framing
 * @property {0 | 1} minorVersion
 * @property {string} head as it goes on
 * @property {string} out all that goes on of the message, in one
 * @property {string} body its content
 * @property {string} trailer as it goes on
 * @property {boolean} isComplete
 * @property {boolean} asksForUpgrade
 *
 * @typedef {object} Relayed
 * @property {RelayedMessage[]} messages
 * @property {{ readonly status: number, readonly reason: string } | undefined} error why nothing is read any more
 * @property {string} unread
 *
 * @typedef {object} RequestSettings
 * @property {import('../../src/http1/limits.ts').Limits} [limits]
 * @property {readonly string[]} [inserts]
 * @property {boolean} [isTrusted]
 * @property {import('../../src/http1/request-forwarding.ts').Hop} [hop]
 * @property {readonly boolean[]} [ahead] which pieces come in while nobody reads
 *
 * @typedef {object} ResponseSettings
 * @property {import('../../src/http1/limits.ts').Limits} [limits]
 * @property {boolean} [isForHead]
 * @property {0 | 1} [minorVersion] of HTTP/1.x, the client's x
 * @property {boolean} [asksForUpgrade]
 * @property {readonly boolean[]} [ahead] which pieces come in while nobody reads
 */

/** @type {import('../../src/http1/request-forwarding.ts').Hop} */
export const someHop = { clientAddress: '192.0.2.1', localAddress: '198.51.100.1', localPort: 8080, protocol: 'http' };

/**
 * @param {Codec} codec
 * @param {readonly string[]} pieces what the client sent, as it came in
 * @param {RequestSettings} [settings]
 * @returns {Relayed}
 */
export function relayRequests(codec, pieces, settings = {}) {
  const { limits = codec.defaultLimits, inserts = [], isTrusted = false, hop = someHop } = settings;
  const forwarding = new codec.RequestForwarding(new Set(inserts), isTrusted, () => 'made-up');
  const makeReader = () =>
    new codec.MessageReader(new codec.RequestHead(limits, codec.decode), (head) => codec.requestFraming(head));
  const take = (reader) => {
    const { head } = reader;
    const out = forwarding.head(head, hop);
    return {
      ...begun(head, out, reader.framing),
      method: head.method,
      target: head.target,
      asksForUpgrade: head.asksForUpgrade,
    };
  };
  return relay(codec, pieces, settings.ahead, makeReader, take, (message) => message.asksForUpgrade);
}

/**
 * The answers to one request: interim ones, and the final one.
 *
 * @param {Codec} codec
 * @param {readonly string[]} pieces what the member sent, as it came in
 * @param {ResponseSettings} [settings]
 * @returns {Relayed}
 */
export function relayResponses(codec, pieces, settings = {}) {
  const { limits = codec.defaultLimits, isForHead = false, minorVersion = 1, asksForUpgrade = false } = settings;
  const makeReader = () =>
    new codec.MessageReader(new codec.ResponseHead(limits, codec.decode), (head) =>
      codec.responseFraming(head, isForHead),
    );
  const take = (reader) => {
    const { head, framing } = reader;
    const { status } = head;
    if (status === 101 && !(asksForUpgrade && head.saysUpgrade && head.upgradeAt >= 0)) return undefined;
    // How the body goes to the client.
    let goes = framing;
    if (framing === 'close' && minorVersion === 1) goes = 'chunked';
    if (framing === 'chunked' && minorVersion === 0) goes = 'close';
    reader.keepsFraming = goes === 'chunked';
    const out =
      status < 200 && minorVersion === 0 ? '' : codec.responseHead(head, goes, goes === 'close' ? 'close' : '');
    return { ...begun(head, out, goes), status, isMadeChunked: goes === 'chunked' && framing === 'close' };
  };
  return relay(
    codec,
    pieces,
    settings.ahead,
    makeReader,
    take,
    (message) => message.status >= 200 || message.status === 101,
  );
}

function begun(head, out, framing) {
  const { fields, minorVersion } = head;
  const list = Array.from({ length: fields.count }, (_, index) => {
    return [head.text.slice(fields.nameStart[index], fields.nameEnd[index]), head.value(index)];
  });
  return {
    fields: list,
    method: '',
    target: '',
    status: 0,
    framing,
    minorVersion,
    head: out,
    out,
    body: '',
    trailer: '',
    isComplete: false,
    asksForUpgrade: false,
  };
}

/** Reads twice: once for what goes on, once for the content alone. */
function relay(codec, pieces, ahead, makeReader, take, isLast) {
  const relayed = read(codec, pieces, ahead, makeReader(), take, isLast, (message, piece) => {
    message.out += message.isMadeChunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece;
  });
  const contents = read(
    codec,
    pieces,
    ahead,
    makeReader(),
    (reader) => {
      const message = take(reader);
      reader.keepsFraming = false;
      return message;
    },
    isLast,
    (message, piece) => {
      message.body += piece;
    },
  );
  relayed.messages.forEach((message, index) => {
    message.body = contents.messages[index].body;
    if (message.isComplete !== contents.messages[index].isComplete) throw new Error('read in two ways');
  });
  return relayed;
}

function read(codec, pieces, ahead, reader, take, isLast, addPiece) {
  const messages = [];
  let message;
  let error;
  let isOver = false;
  let unread = '';
  /** What the reader may still have a use for. */
  let lent = [];
  for (const [index, piece] of pieces.entries()) {
    if (isOver) {
      unread += piece;
      continue;
    }
    // The bytes are in somebody else's buffer, which is used again as soon as there is no more to be found in it.
    const bytes = new Uint8Array(piece.length + 2);
    bytes.set(codec.encode(piece), 1);
    reader.push(bytes, 1, bytes.length - 1);
    lent.push(bytes);
    if (ahead?.[index] === true && index < pieces.length - 1) continue;
    while (!isOver) {
      const found = reader.next();
      if (found === 'more') break;
      if (found === 'head') {
        message = take(reader);
        if (message === undefined) {
          error = { status: 502, reason: 'an upgrade that nobody asked for' };
          isOver = true;
        } else {
          messages.push(message);
        }
      } else if (found === 'body') {
        if (reader.start === reader.end) throw new Error('a piece of nothing');
        addPiece(message, codec.decode(reader.bytes, reader.start, reader.end));
      } else if (found === 'end') {
        end(message, reader);
        if (isLast(message)) isOver = true;
      } else {
        error = reader.error;
        isOver = true;
      }
    }
    if (isOver) unread = text(codec, reader.rest());
    for (const each of lent) each.fill(0x58);
    lent = [];
  }
  // The other side sends no more.
  if (!isOver && message !== undefined && !message.isComplete && reader.mayEnd) end(message, reader);
  return { messages, error, unread };
}

function end(message, reader) {
  message.isComplete = true;
  if (message.framing !== 'chunked') return;
  message.trailer = reader.trailer;
  message.out += message.isMadeChunked ? '0\r\n\r\n' : `${reader.trailer}\r\n`;
}

function text(codec, bytes) {
  return codec.decode(bytes, 0, bytes.length);
}
