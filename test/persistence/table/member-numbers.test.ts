import { describe, expect, test } from 'vitest';
import { MemberNumbers } from '../../../src/persistence/table/member-numbers.ts';

describe("members' numbers", () => {
  test('are small, one for each id', () => {
    const numbers = new MemberNumbers();
    expect(['a', 'b', 'a', 'c'].map((id) => numbers.refer(id))).toEqual([0, 1, 0, 2]);
    expect([numbers.idOf(0), numbers.idOf(2), numbers.idOf(3)]).toEqual(['a', 'c', undefined]);
  });

  test('mean nobody once the member is forgotten, also when another one of that id comes', () => {
    const numbers = new MemberNumbers();
    const before = numbers.refer('a');
    numbers.forget('a');
    const after = numbers.refer('a');
    expect([numbers.idOf(before), numbers.idOf(after)]).toEqual([undefined, 'a']);
  });

  test('are given out anew when nothing refers to a forgotten member any more, and not before', () => {
    const numbers = new MemberNumbers();
    const a = numbers.refer('a');
    numbers.refer('a');
    numbers.forget('a');
    numbers.release(a);
    expect(numbers.refer('b')).not.toBe(a);
    numbers.release(a);
    expect(numbers.refer('c')).toBe(a);
  });

  test('stay with a member that nothing refers to, and are free when it is forgotten', () => {
    const numbers = new MemberNumbers();
    const a = numbers.refer('a');
    numbers.release(a);
    expect([numbers.idOf(a), numbers.refer('b')]).toEqual(['a', 1]);
    numbers.forget('a');
    numbers.forget('a');
    numbers.forget('nobody');
    expect([numbers.refer('c'), numbers.refer('d')]).toEqual([a, 2]);
  });

  test('stay few while members come and go', () => {
    const numbers = new MemberNumbers();
    let highest = 0;
    for (let generation = 0; generation < 1000; generation++) {
      const number = numbers.refer(`m${generation}`);
      highest = Math.max(highest, number);
      numbers.forget(`m${generation}`);
      numbers.release(number);
    }
    expect(highest).toBe(0);
  });
});
