import { createHash } from 'node:crypto';
import { seeded } from '../seeded.mjs';

/** What client and members say to each other, byte by byte, so that each can tell whether a contestant has passed it on whole. */
const mib = 1024 * 1024;
/** With the three that any message here has: 40. */
const manyFields = 37;

/** What is asked for, what comes, and what a client expects of it; `body` is of the request. */
export const exchanges = {
  small: { method: 'GET', path: '/small', length: 64 },
  headers: { method: 'GET', path: '/headers', length: 64, fields: manyFields },
  download: { method: 'GET', path: '/download', length: mib },
  upload: { method: 'POST', path: '/upload', length: 64, body: mib },
  once: { method: 'GET', path: '/small', length: 64, closes: true },
};

export function requestBytes({ method, path, body = 0, fields = 0, closes = false }, port) {
  const head = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'User-Agent: evenkeel-bench',
    'Accept: */*',
    ...numbered('X-Request-Field', fields),
    ...(body > 0 ? [`Content-Length: ${body}`] : []),
    ...(closes ? ['Connection: close'] : []),
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.alloc(body, 'u')]);
}

export function answerBytes({ length, fields = 0 }, { closes }) {
  const head = [
    'HTTP/1.1 200 OK',
    'Date: Tue, 24 Nov 2026 12:00:00 GMT',
    'Content-Type: text/plain',
    `Content-Length: ${length}`,
    ...numbered('X-Answer-Field', fields),
    ...(closes ? ['Connection: close'] : []),
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.alloc(length, 'a')]);
}

const numbered = (name, count) =>
  Array.from({ length: count }, (_, n) => `${name}-${n}: a value of an ordinary length, ${n}`);

export const countRequestFields = (head) =>
  head.match(/\r\nx-request-field-\d+: a value of an ordinary length/gi)?.length ?? 0;
export const countAnswerFields = (head) =>
  head.match(/\r\nx-answer-field-\d+: a value of an ordinary length/gi)?.length ?? 0;

const random = seeded(7);
const payload = Buffer.from(Array.from({ length: 128 }, () => random() * 256));
const mask = Buffer.from(Array.from({ length: 4 }, () => random() * 256));

/** A WebSocket message of 128 bytes: final, binary, its length in the two bytes after the first two. */
export const echoFrame = Buffer.concat([Buffer.from([0x82, 126, 0, payload.length]), payload]);
export const maskedFrame = Buffer.concat([
  Buffer.from([0x82, 0x80 | 126, 0, payload.length]),
  mask,
  payload.map((byte, n) => byte ^ mask[n % 4]),
]);

const key = 'ZXZlbmtlZWwtYmVuY2gtMQ==';

export function upgradeBytes(port) {
  const head = [
    'GET /socket HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
}

/** RFC 6455, section 4.2.2: what proves that a key was understood. */
export function acceptOf(webSocketKey) {
  return createHash('sha1').update(`${webSocketKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

export const expectedAccept = acceptOf(key);
