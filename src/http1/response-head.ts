import { cr, lf, nine, space, valueByte, zero } from './bytes.ts';
import { Head } from './head.ts';

/** The head of an answer, checked as RFC 9112, section 4, says. What is refused here is the member's fault: 502. */
export class ResponseHead extends Head {
  status = 0;
  /** Where the reason starts in `text`, and where it ends; both alike where there is none. */
  reasonStart = 0;
  reasonEnd = 0;

  protected override readStartLine(bytes: Uint8Array, start: number, stop: number): number {
    let at = start;
    for (const code of version) {
      if (at >= stop) return 0;
      if (bytes[at++] !== code) return this.refuse(502, 'an answer that does not start with HTTP/1.');
    }
    // The minor version, a blank, three digits, and what follows them.
    if (at + 6 > stop) return 0;
    const minor = (bytes[at] as number) - zero;
    if ((minor !== 0 && minor !== 1) || bytes[at + 1] !== space) return this.refuse(502, 'an unknown version');
    this.status = 0;
    for (at += 2; at < start + statusEnd; at++) {
      const digit = bytes[at] as number;
      if (digit < zero || digit > nine) return this.refuse(502, 'a malformed status');
      this.status = this.status * 10 + digit - zero;
    }
    if (this.status < 100) return this.refuse(502, 'a malformed status');
    this.minorVersion = minor;
    // The blank before an empty reason is often forgotten, and there is only one way to read that.
    if (bytes[at] === space) at++;
    else if (bytes[at] !== cr) return this.refuse(502, 'a malformed status');
    this.reasonStart = at - start;
    while (at < stop && valueByte[bytes[at] as number] === 1) at++;
    if (at + 1 >= stop) return 0;
    if (bytes[at] !== cr || bytes[at + 1] !== lf)
      return this.refuse(502, 'a status line that does not end in CR and LF');
    this.reasonEnd = at - start;
    return at + 2;
  }

  protected override startLineRead(): void {
    // The status is all there is to it.
  }

  protected override readField(): void {
    // There is nothing that only answers have.
  }

  protected override conclude(): void {
    // Nor anything that must fit together.
  }
}

const version = Uint8Array.from('HTTP/1.', (character) => character.charCodeAt(0));
const statusEnd = 'HTTP/1.1 200'.length;
