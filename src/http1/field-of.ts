/**
 * The value of a field in a head that is text already: for the rare asker, since it searches the head each time. Several fields of
 * one name are one list, cookies with semicolons (RFC 9110, section 5.3; RFC 6265, section 4.2.1).
 *
 * @param head a start line and field lines, each ending in CRLF
 * @param name in lower case
 */
export function fieldOf(head: string, name: string): string | undefined {
  const values: string[] = [];
  for (let line = head.indexOf('\r\n') + 2; line > 1 && line < head.length; line = head.indexOf('\r\n', line) + 2) {
    const colon = line + name.length;
    if (head.charCodeAt(colon) !== 58 || head.slice(line, colon).toLowerCase() !== name) continue;
    values.push(head.slice(colon + 1, head.indexOf('\r\n', line)).trim());
  }
  return values.length === 0 ? undefined : values.join(name === 'cookie' ? '; ' : ', ');
}
