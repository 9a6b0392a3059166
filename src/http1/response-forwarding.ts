import * as field from './field.ts';
import type { Framing } from './message-reader.ts';
import type { ResponseHead } from './response-head.ts';

/** What a client's connection is told with an answer. */
export type ConnectionOption = 'close' | 'keep-alive' | '';

/** What a client's answer has that the member's has not, and the other way round. */
export interface AnswerChanges {
  /** Whether a `Set-Cookie` field of this value goes on; asked once for each, in order. */
  passes(cookie: string): boolean;
  /** Complete lines; asked for after that. */
  added(): string;
}

const drops = new Uint8Array(field.kinds);
for (const kind of [
  field.connection,
  field.transferEncoding,
  field.contentLength,
  field.upgrade,
  field.te,
  field.trailer,
  field.keepAlive,
  field.dropped,
]) {
  drops[kind] = 1;
}

/**
 * The head that goes to the client, complete with its blank line: ours is the version and what concerns framing and the
 * connection, all else is the member's.
 *
 * @param framing how the body goes to the client
 */
export function responseHead(
  head: ResponseHead,
  framing: Framing,
  option: ConnectionOption,
  changes?: AnswerChanges,
): string {
  const { text, fields, status } = head;
  const { count, kind } = fields;
  const tellsUpgrade = status === 101 || status === 426;
  // The version is as long in either.
  let out = 'HTTP/1.1';
  let from = 'HTTP/1.1'.length;
  if (head.reasonStart === head.reasonEnd) {
    out += ` ${status} \r\n`;
    from = head.reasonEnd + 2;
  }
  for (let index = 0; index < count; index++) {
    const each = kind[index] as number;
    if (drops[each] === 0 && (each !== field.setCookie || changes === undefined || changes.passes(head.value(index))))
      continue;
    if ((each === field.upgrade && tellsUpgrade) || (each === field.trailer && framing === 'chunked')) continue;
    out += text.slice(from, fields.nameStart[index]);
    from = fields.lineEnd(index);
  }
  out += text.slice(from, fields.end);
  if (changes !== undefined) out += changes.added();
  if (framing === 'chunked') out += 'Transfer-Encoding: chunked\r\n';
  else if (head.contentLength >= 0 && status >= 200 && status !== 204)
    out += `Content-Length: ${head.contentLength}\r\n`;
  if (tellsUpgrade) out += option === 'close' ? 'Connection: Upgrade, close\r\n' : 'Connection: Upgrade\r\n';
  else if (option !== '') out += `Connection: ${option}\r\n`;
  return `${out}\r\n`;
}
