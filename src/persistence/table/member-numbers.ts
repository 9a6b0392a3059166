/**
 * Members' ids as small integers, so that a table needs four bytes for one. A number is given out anew once its member is
 * forgotten and nothing in the table refers to it any more: there are never more than members and entries.
 */
export class MemberNumbers {
  readonly #numbers = new Map<string, number>();
  /** By number; undefined where the member was forgotten. */
  readonly #ids: (string | undefined)[] = [];
  /** How many entries refer to each. */
  readonly #references: number[] = [];
  readonly #free: number[] = [];

  idOf(number: number): string | undefined {
    return this.#ids[number];
  }

  /** The number of a member, for one more reference. */
  refer(id: string): number {
    const known = this.#numbers.get(id);
    const number = known ?? this.#free.pop() ?? this.#ids.length;
    if (known === undefined) {
      this.#numbers.set(id, number);
      this.#ids[number] = id;
      this.#references[number] = 0;
    }
    this.#references[number] = (this.#references[number] as number) + 1;
    return number;
  }

  /** A reference is gone. */
  release(number: number): void {
    this.#references[number] = (this.#references[number] as number) - 1;
    this.#recycle(number);
  }

  /** The member is gone: what refers to it refers to nobody, also when another one of that id comes. */
  forget(id: string): void {
    const number = this.#numbers.get(id);
    if (number === undefined) return;
    this.#numbers.delete(id);
    this.#ids[number] = undefined;
    this.#recycle(number);
  }

  #recycle(number: number): void {
    if (this.#ids[number] === undefined && this.#references[number] === 0) this.#free.push(number);
  }
}
