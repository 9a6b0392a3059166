import { countAnswerFields } from './messages.mjs';

/** No head here is longer, even with what contestants add. */
const longestHead = 16_384;

/** Reads answers of one kind off a connection, and throws where one is not as it should be. */
export class AnswerReader {
  #expected;
  #head = '';
  /** Bytes of the body that are still to come; below zero while the head is. */
  #left = -1;

  /** @param expected one of `exchanges` */
  constructor(expected) {
    this.#expected = expected;
  }

  /** @returns whether the answer is complete */
  take(chunk, size) {
    let body = size;
    if (this.#left < 0) {
      const before = this.#head.length;
      this.#head += chunk.latin1Slice(0, Math.min(size, longestHead));
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) {
        if (this.#head.length > longestHead) throw new Error('an answer without an end to its head');
        return false;
      }
      this.#check(this.#head.slice(0, end));
      body = size - (end + 4 - before);
      this.#head = '';
      this.#left = this.#expected.length;
    }
    this.#left -= body;
    if (this.#left < 0) throw new Error(`${-this.#left} bytes more than the answer has`);
    if (this.#left > 0) return false;
    this.#left = -1;
    return true;
  }

  #check(head) {
    const { length, fields = 0, closes = false } = this.#expected;
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`answered ${head.split('\r\n', 1)[0]}`);
    const stated = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (Number(stated) !== length) throw new Error(`an answer of ${stated} bytes, not ${length}`);
    if (!closes && /\r\nconnection: *close/i.test(head)) throw new Error('a connection that was to be kept is closed');
    if (fields > 0 && countAnswerFields(head) !== fields)
      throw new Error(`${countAnswerFields(head)} of ${fields} fields came back`);
  }
}
