import { SpecError } from '../core/errors.ts';
import { at, list } from '../core/spec.ts';

/**
 * Reads a list of texts of which none comes twice.
 *
 * @param what they are, for the message
 * @throws SpecError where it is no list, is empty, has one twice, or one that `item` refuses
 */
export function distinctList(
  item: (value: unknown, path: string) => string,
  what: string,
): (value: unknown, path: string) => readonly string[] {
  return (value, path) => {
    const items = list(item)(value, path);
    if (items.length === 0) throw new SpecError(path, value, `one ${what} at least`);
    const seen = new Map<string, number>();
    for (const [index, text] of items.entries()) {
      const first = seen.get(text);
      if (first !== undefined) throw new SpecError(at(path, index), text, `another ${what} than ${at(path, first)}`);
      seen.set(text, index);
    }
    return items;
  };
}
