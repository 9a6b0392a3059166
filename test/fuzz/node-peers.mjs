import { createServer, request } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

/**
 * Node's parser, llhttp, as the other end of a relay: what it makes of bytes, by way of public interfaces alone. Each connection is a
 * stream in memory.
 *
 * @typedef {object} ReadMessage
 * @property {string} method
 * @property {string} target
 * @property {number} status
 * @property {string} reason
 * @property {string} version
 * @property {readonly string[]} rawHeaders names and values in turn
 * @property {readonly string[]} rawTrailers
 * @property {string} body
 * @property {boolean} isComplete
 *
 * @typedef {object} Reading what has been read so far
 * @property {ReadMessage[]} messages
 * @property {string | undefined} error
 */

/** A connection whose other end is us. */
class Wire extends Duplex {
  error;
  messages = [];

  _read() {}

  _write(_bytes, _encoding, done) {
    done();
  }
}

const limits = { maxHeaderSize: 1 << 20, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 };

/** Reads requests. */
export class NodeServer {
  #server = createServer(limits);

  constructor() {
    const server = this.#server;
    const take = (message) => message.socket.messages.push(message);
    server.maxHeadersCount = 0;
    server.on('request', take);
    server.on('checkContinue', take);
    server.on('clientError', (error, wire) => {
      wire.error = error.code ?? error.message;
    });
  }

  /**
   * @param {string} text all that comes in on a connection
   * @returns {() => Reading} tells what was read, after `settled()`, and closes the connection
   */
  open(text) {
    const wire = new Wire();
    wire.on('error', () => {});
    this.#server.emit('connection', wire);
    if (text !== '') wire.push(Buffer.from(text, 'latin1'));
    return () => {
      const messages = wire.messages.map((message) => ({ ...described(message), body: contentOf(message) }));
      const { error } = wire;
      wire.destroy();
      return { messages, error };
    };
  }
}

/**
 * Reads the answers to a request.
 *
 * @param {string} method
 * @returns {{ push(text: string): void, end(): void, read(): Reading, close(): void }} after each `push` and `end` comes `settled()`
 */
export function openClient(method) {
  const wire = new Wire();
  wire.on('error', () => {});
  let error;
  const messages = [];
  const bodies = new Map();
  const take = (message) => {
    messages.push(message);
    bodies.set(message, '');
    message.on?.('data', (bytes) => bodies.set(message, bodies.get(message) + bytes.toString('latin1')));
    message.on?.('error', () => {});
  };
  const asked = request({
    createConnection: () => wire,
    method,
    host: 'a.example',
    maxHeaderSize: limits.maxHeaderSize,
  });
  asked.maxHeadersCount = 0;
  asked.on('error', (cause) => {
    error = cause.code ?? cause.message;
  });
  // Interim answers are told in brief.
  asked.on('information', ({ statusCode, statusMessage, httpVersion, rawHeaders }) => {
    messages.push({ statusCode, statusMessage, httpVersion, rawHeaders, rawTrailers: [], complete: true });
  });
  asked.on('response', take);
  asked.on('upgrade', (message) => {
    messages.push(message);
  });
  asked.end();
  return {
    push: (text) => void wire.push(Buffer.from(text, 'latin1')),
    end: () => void wire.push(null),
    read: () => ({
      messages: messages.map((message) => ({ ...described(message), body: bodies.get(message) ?? '' })),
      error,
    }),
    close: () => {
      asked.destroy();
      wire.destroy();
    },
  };
}

/** All that was pushed has been read. */
export async function settled() {
  await turn();
  await turn();
}

function described(message) {
  return {
    method: message.method ?? '',
    target: message.url ?? '',
    status: message.statusCode ?? 0,
    reason: message.statusMessage ?? '',
    version: message.httpVersion,
    rawHeaders: message.rawHeaders,
    rawTrailers: message.rawTrailers,
    isComplete: message.complete,
  };
}

function contentOf(message) {
  let content = '';
  for (let bytes = message.read(); bytes !== null; bytes = message.read()) content += bytes.toString('latin1');
  return content;
}
