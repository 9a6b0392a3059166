import { colon, cr, lf, space, tab, tokenByte, valueByte } from './bytes.ts';
import { fieldOf } from './field.ts';
import { MessageError } from './message-error.ts';

/**
 * The field lines of a head or a trailer, read strictly: RFC 9112, section 5, without anything that it lets a recipient repair
 * (folded lines, blanks before the colon, a bare LF), since two recipients may repair it in two ways.
 *
 * Positions are relative to where the message starts. One object reads message after message; what it holds is good until the
 * next one.
 */
export class FieldLines {
  readonly nameStart: Int32Array;
  readonly nameEnd: Int32Array;
  readonly valueStart: Int32Array;
  /** Without blanks at the end. */
  readonly valueEnd: Int32Array;
  /** What `field.ts` calls it. */
  readonly kind: Uint8Array;
  count = 0;
  /** Where the blank line starts that ends them. */
  end = 0;
  error: MessageError | undefined;

  /** @param most so many lines are read, more are refused */
  constructor(most: number) {
    this.nameStart = new Int32Array(most);
    this.nameEnd = new Int32Array(most);
    this.valueStart = new Int32Array(most);
    this.valueEnd = new Int32Array(most);
    this.kind = new Uint8Array(most);
  }

  /**
   * Reads from `at` to the blank line, which must be before `stop`.
   *
   * @param base where the message starts
   * @returns where the bytes after the blank line start, 0 where they are not there yet, or -1 with `error` set
   */
  read(bytes: Uint8Array, base: number, at: number, stop: number): number {
    this.count = 0;
    this.error = undefined;
    const most = this.kind.length;
    // Of this function's own, since looking up an import costs as much as looking at a byte.
    const isToken = tokenByte;
    const isValue = valueByte;
    for (let next = at; ; ) {
      if (next >= stop) return 0;
      const lineStart = next;
      if (bytes[next] === cr) {
        if (next + 1 >= stop) return 0;
        if (bytes[next + 1] !== lf) return this.#refuse(400, 'a CR without its LF');
        this.end = next - base;
        return next + 2;
      }
      while (next < stop && isToken[bytes[next] as number] === 1) next++;
      if (next >= stop) return 0;
      if (next === lineStart || bytes[next] !== colon) return this.#refuse(400, badName(bytes, lineStart, next));
      const nameEnd = next;
      next++;
      while (next < stop && (bytes[next] === space || bytes[next] === tab)) next++;
      const valueStart = next;
      while (next < stop && isValue[bytes[next] as number] === 1) next++;
      if (next >= stop) return 0;
      if (bytes[next] !== cr) return this.#refuse(400, 'a control character in a field value');
      if (next + 1 >= stop) return 0;
      if (bytes[next + 1] !== lf) return this.#refuse(400, 'a CR without its LF');
      const index = this.count;
      if (index === most) return this.#refuse(431, `more than ${most} fields`);
      let valueEnd = next;
      while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd--;
      this.nameStart[index] = lineStart - base;
      this.nameEnd[index] = nameEnd - base;
      this.valueStart[index] = valueStart - base;
      this.valueEnd[index] = valueEnd - base;
      this.kind[index] = fieldOf(bytes, lineStart, nameEnd);
      this.count = index + 1;
      next += 2;
    }
  }

  /** Where the line after this one starts. */
  lineEnd(index: number): number {
    return index + 1 < this.count ? (this.nameStart[index + 1] as number) : this.end;
  }

  #refuse(status: number, reason: string): -1 {
    this.error = new MessageError(status, reason);
    return -1;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === space || byte === tab;
}

function badName(bytes: Uint8Array, lineStart: number, at: number): string {
  if (at > lineStart)
    return isBlank(bytes[at]) ? 'a blank before the colon' : 'a character that no field name may have';
  if (isBlank(bytes[at])) return 'a folded line';
  return bytes[at] === lf ? 'an LF without its CR' : 'a field without a name';
}
