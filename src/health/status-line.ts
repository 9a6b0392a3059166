/** The longest line that is waited for, in bytes. */
const longest = 8192;

const statusLine = /^HTTP\/1\.[01] (\d{3})(?: [^\r]*\r?|\r)$/;

/**
 * The status code with which an answer begins. That an answer is not HTTP is told as early as it shows, since such a one may never
 * end its line.
 *
 * @param answer what has come so far, a character for each byte
 */
export function statusOf(answer: string): number | 'incomplete' | 'not-http' {
  const end = answer.indexOf('\n');
  if (end < 0 ? answer.length >= longest : end >= longest) return 'not-http';
  if (end < 0) return 'HTTP/1.'.startsWith(answer.slice(0, 7)) ? 'incomplete' : 'not-http';
  const code = statusLine.exec(answer.slice(0, end))?.[1];
  return code === undefined ? 'not-http' : Number(code);
}
