/** Bytes that HTTP/1 gives a meaning to, and classes of bytes as tables: one look-up tells whether a byte belongs. */

export const tab = 0x09;
export const lf = 0x0a;
export const cr = 0x0d;
export const space = 0x20;
const hash = 0x23;
export const slash = 0x2f;
export const zero = 0x30;
export const nine = 0x39;
export const colon = 0x3a;
export const semicolon = 0x3b;

function tableOf(belongs: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (belongs(byte) ? 1 : 0));
}

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** RFC 9110, section 5.6.2: what methods and field names are made of. */
export const tokenByte: Uint8Array = tableOf((byte) => tokenCharacters.includes(String.fromCharCode(byte)));

/** Letters and digits. */
export const alphanumericByte: Uint8Array = tableOf((byte) => /[\da-z]/i.test(String.fromCharCode(byte)));

/** RFC 9110, section 5.5: what field values, reasons and chunk extensions may hold: no control but the tab. */
export const valueByte: Uint8Array = tableOf((byte) => byte === tab || (byte >= space && byte !== 0x7f));

/**
 * What a request's target may hold: visible ASCII but the fragment's `#`, which is never sent. More than RFC 3986 permits, since
 * browsers send braces and bars as they are; nothing that two parsers could read in two ways.
 */
export const targetByte: Uint8Array = tableOf((byte) => byte > space && byte < 0x7f && byte !== hash);

/** RFC 3986, section 3.2.2, without the comma, which would look like two hosts, and without percent signs, which nobody uses. */
const hostAndPort = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+;=-]*)(?::\d{0,5})?$/i;

/** Whether it is a host and perhaps a port; empty is one, as RFC 9112 says. */
export function isHost(text: string): boolean {
  return hostAndPort.test(text);
}

/** The value of a hexadecimal digit, 255 for all other bytes. */
export const hexValue: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? 255 : digit;
});

/** Turns bytes into the string whose characters have their values; each runtime has a quick way of its own. */
export type Decode = (bytes: Uint8Array, start: number, end: number) => string;
