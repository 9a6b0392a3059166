/** A client's certificate, as header fields tell members of it; in HAProxy's spelling, which Octavia's users know. */
export interface ClientCertificate {
  /** The subject's name: `/C=DE/O=Example/CN=client`. */
  readonly subject: string;
  /** Empty where the subject has none. */
  readonly commonName: string;
  /** The issuer's name. */
  readonly issuer: string;
  /** The SHA-1 fingerprint: 40 hexadecimal digits, upper case. */
  readonly sha1: string;
  /** `YYMMDDhhmmssZ`. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/**
 * The names of a certificate on one line: `/C=DE/CN=a`. Control characters are escaped as in URLs; a `/` within a value is not (nor by
 * HAProxy), so to decide by one part of the name, take a field that has nothing else.
 *
 * @param lines one attribute a line, `CN=a`, with special characters escaped by backslashes as in RFC 2253
 */
export function oneLineName(lines: string): string {
  if (lines === '') return '';
  let name = '';
  // One set of attributes may have several, joined by a plus sign that is not escaped.
  for (const line of lines.split(/\n| \+ /)) name += `/${plain(line)}`;
  return name;
}

/** The last common name of a certificate; empty where there is none. See `oneLineName()` for `lines`. */
export function commonNameOf(lines: string): string {
  const line = lines.split(/\n| \+ /).findLast((each) => each.startsWith('CN='));
  return line === undefined ? '' : plain(line.slice('CN='.length));
}

function plain(escaped: string): string {
  const text = escaped.replace(/\\([\dA-Fa-f]{2}|.)/g, (_whole, what: string) => {
    return what.length === 2 ? String.fromCharCode(Number.parseInt(what, 16)) : what;
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escaping them is the point
  return text.replace(/[\u0000-\u001f\u007f]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
