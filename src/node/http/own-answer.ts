import { tokenByte, valueByte } from '../../http1/bytes.ts';
import { type ErrorAnswer, type ErrorAnswerer, type FailedRequest, reasons } from '../../http1/error-answer.ts';

/** Fields that are not an answerer's to set. */
const ours = new Set(['connection', 'content-length', 'transfer-encoding', 'keep-alive', 'upgrade', 'trailer', 'te']);

/**
 * An answer of our own, head and body, ready to be written.
 *
 * @param isLast whether it is its connection's last
 * @throws what the answerer throws, or TypeError where it does not give an answer
 */
export function ownAnswer(request: FailedRequest, answerer: ErrorAnswerer, isLast = true): Buffer {
  const { headers = {}, body = '' } = checked(answerer(request));
  const { status, retryAfter } = request;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  let head = `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\n`;
  if (!names(headers, 'date')) head += `Date: ${new Date().toUTCString()}\r\n`;
  if (retryAfter !== undefined && !names(headers, 'retry-after')) head += `Retry-After: ${retryAfter}\r\n`;
  for (const [name, value] of Object.entries(headers)) head += field(name, value);
  // RFC 9110, section 15.5.6
  if (status === 405) head += 'Allow: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE\r\n';
  head += `Content-Length: ${bytes.length}\r\n${isLast ? 'Connection: close\r\n' : ''}\r\n`;
  const isForHead = request.method === 'HEAD';
  return Buffer.concat([Buffer.from(head, 'latin1'), isForHead ? new Uint8Array(0) : bytes]);
}

function names(headers: Readonly<Record<string, string>>, name: string): boolean {
  return Object.keys(headers).some((each) => each.toLowerCase() === name);
}

function checked(answer: unknown): ErrorAnswer {
  if (answer instanceof Promise) {
    answer.catch(() => {
      // Whatever it says comes too late.
    });
    throw new TypeError('errorAnswer must return an answer, not a promise of one');
  }
  if (typeof answer !== 'object' || answer === null) throw new TypeError('errorAnswer must return an object');
  const { headers, body } = answer as ErrorAnswer;
  if (headers !== undefined && (typeof headers !== 'object' || headers === null)) {
    throw new TypeError('errorAnswer: headers must be an object');
  }
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new TypeError('errorAnswer: body must be a string or a Uint8Array');
  }
  return answer;
}

function field(name: string, value: unknown): string {
  const isName = name !== '' && consistsOf(name, tokenByte);
  if (!isName || typeof value !== 'string' || !consistsOf(value, valueByte)) {
    throw new TypeError('errorAnswer: a header has a name or a value that HTTP does not allow');
  }
  return ours.has(name.toLowerCase()) ? '' : `${name}: ${value}\r\n`;
}

function consistsOf(text: string, table: Uint8Array): boolean {
  for (let at = 0; at < text.length; at++) if (table[text.charCodeAt(at)] !== 1) return false;
  return true;
}
