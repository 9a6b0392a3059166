import { check, fail } from './failure.ts';

/** Text of the wire is one character a byte. */
export type Field = readonly [name: string, value: string];

/** How a message's body ends. */
type Framing = 'none' | 'length' | 'chunked' | 'close';

export interface Head {
  /** The request line or the status line. */
  readonly line: string;
  /** As they came: order, case and duplicates. */
  readonly fields: readonly Field[];
  /** Characters up to the end of the blank line. */
  readonly size: number;
}

export interface Message extends Head {
  readonly framing: Framing;
  readonly body: string;
  readonly trailers: readonly Field[];
}

/** A final answer, and the interim ones that came before it. */
export interface Answer extends Message {
  readonly interim: readonly Head[];
}

/** A head, or the start of a message: lines and the blank line after them. */
export function http(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A body in one chunk, and its end. */
export function chunked(body: string, ...trailers: readonly string[]): string {
  return `${body.length.toString(16)}\r\n${body}\r\n0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** The values of every field of that name, in order. */
export function values(fields: readonly Field[], name: string): string[] {
  return fields.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** The elements of every field of that name, in lower case. */
export function elements(fields: readonly Field[], name: string): string[] {
  const list = values(fields, name).join().toLowerCase();
  return list
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
}

export function statusOf({ line }: Head): number {
  return Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1] ?? fail(`malformed: '${line.slice(0, 20)}'`));
}

/**
 * The head that a text begins with, where it is complete. Nothing is repaired on the way: what a proxy sends must be well-formed
 * to the letter.
 */
export function readHead(text: string): Head | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...rest] = text.slice(0, end).split('\r\n');
  return { line, fields: rest.map(readField), size: end + 4 };
}

function readField(line: string): Field {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line) ?? [];
  if (name === undefined || value === undefined) return fail(`malformed: '${line.slice(0, 20)}'`);
  return [name, value];
}

/** The head of the final answer that a text begins with, past interim ones, where it is complete. */
export function readFinalHead(text: string): Head | undefined {
  for (let at = 0; ; ) {
    const head = readHead(text.slice(at));
    if (head === undefined || isFinal(head)) return head;
    at += head.size;
  }
}

function isFinal(head: Head): boolean {
  const status = statusOf(head);
  return status >= 200 || status === 101;
}

/** The request that a text begins with, where it is complete. */
export function readRequest(text: string): Message | undefined {
  const head = readHead(text);
  return head && readBody(text, head, framingOf(head, 'none'), false);
}

/**
 * The final answer that a text begins with, where it is complete.
 *
 * @param method what is answered
 * @param hasEnded whether the text has come to a clean end
 */
export function readAnswer(text: string, method: string, hasEnded: boolean): Answer | undefined {
  const interim: Head[] = [];
  for (let at = 0; ; ) {
    const head = readHead(text.slice(at));
    if (head === undefined) return undefined;
    if (isFinal(head)) {
      const status = statusOf(head);
      const isBare = method === 'HEAD' || status === 101 || status === 204 || status === 304;
      const message = readBody(text.slice(at), head, isBare ? 'none' : framingOf(head, 'close'), hasEnded);
      return message && { ...message, size: at + message.size, interim };
    }
    interim.push(head);
    at += head.size;
  }
}

function framingOf({ fields }: Head, otherwise: Framing): Framing {
  const codings = values(fields, 'transfer-encoding');
  const lengths = values(fields, 'content-length');
  check(codings.length + lengths.length < 2, 'ambiguous framing');
  if (codings.length > 0) check(codings[0]?.toLowerCase() === 'chunked', `Transfer-Encoding: ${codings[0]}`);
  if (lengths.length > 0) check(/^\d+$/.test(lengths[0] ?? ''), `Content-Length: ${lengths[0]}`);
  if (codings.length > 0) return 'chunked';
  return lengths.length > 0 ? 'length' : otherwise;
}

function readBody(text: string, head: Head, framing: Framing, hasEnded: boolean): Message | undefined {
  const rest = text.slice(head.size);
  const message = { ...head, framing, trailers: [] };
  switch (framing) {
    case 'none':
      return { ...message, body: '' };
    case 'length': {
      const length = Number(values(head.fields, 'content-length')[0]);
      if (rest.length < length) return undefined;
      return { ...message, body: rest.slice(0, length), size: head.size + length };
    }
    case 'close':
      return hasEnded ? { ...message, body: rest, size: text.length } : undefined;
    case 'chunked': {
      const chunks = readChunks(rest);
      return chunks && { ...message, ...chunks, size: head.size + chunks.size };
    }
  }
}

function readChunks(text: string): Pick<Message, 'body' | 'trailers' | 'size'> | undefined {
  let body = '';
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n', at);
    const line = end < 0 ? text.slice(at) : text.slice(at, end);
    check(/^[\da-f]*\r?$/i.test(line) && (end < 0 || line !== ''), `malformed chunk: '${line.slice(0, 12)}'`);
    if (end < 0) return undefined;
    const size = Number.parseInt(line, 16);
    at = end + 2;
    if (size === 0) return readTrailers(text, at, body);
    if (text.length < at + size + 2) return undefined;
    body += text.slice(at, at + size);
    check(text.startsWith('\r\n', at + size), 'malformed chunk: longer than its size');
    at += size + 2;
  }
}

function readTrailers(text: string, at: number, body: string): ReturnType<typeof readChunks> {
  if (text.startsWith('\r\n', at)) return { body, trailers: [], size: at + 2 };
  const end = text.indexOf('\r\n\r\n', at);
  if (end < 0) return undefined;
  return { body, trailers: text.slice(at, end).split('\r\n').map(readField), size: end + 4 };
}
