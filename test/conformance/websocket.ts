import { createHash } from 'node:crypto';
import { type Head, http, values } from './message.ts';

/**
 * Just enough of RFC 6455 for two ends to shake hands and exchange short texts, so that proxies that take part in the protocol
 * pass as well as those that only carry bytes.
 */
export const handshake: string = http(
  'GET /chat HTTP/1.1',
  'Host: a.example',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
);

/** What a member says that agrees. */
export function agreement({ fields }: Head): string {
  const [key = ''] = values(fields, 'sec-websocket-key');
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return http(
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
  );
}

/** A text of less than 126 characters, as a member sends it. */
export function plain(text: string): string {
  return `\x81${String.fromCharCode(text.length)}${text}`;
}

/** The same as a client sends it: masked, here with zeros. */
export function masked(text: string): string {
  return `\x81${String.fromCharCode(0x80 | text.length)}\0\0\0\0${text}`;
}

/** The texts in what came after the handshake. */
export function texts(frames: string): string[] {
  return [...read(frames)].filter(({ kind }) => kind === 1).map(({ payload }) => payload);
}

/** Whether the end is announced, as by a proxy that takes part. */
export function hasGoodbye(frames: string): boolean {
  return [...read(frames)].some(({ kind }) => kind === 8);
}

function* read(frames: string): Generator<{ readonly kind: number; readonly payload: string }> {
  for (let at = 0; at + 2 <= frames.length; ) {
    const length = frames.charCodeAt(at + 1) & 0x7f;
    const isMasked = frames.charCodeAt(at + 1) >= 0x80;
    const start = at + (isMasked ? 6 : 2);
    if (start + length > frames.length) return;
    const payload = [...frames.slice(start, start + length)].map((character, index) => {
      const mask = isMasked ? frames.charCodeAt(at + 2 + (index % 4)) : 0;
      return String.fromCharCode(character.charCodeAt(0) ^ mask);
    });
    yield { kind: frames.charCodeAt(at) & 0x0f, payload: payload.join('') };
    at = start + length;
  }
}
