import { expect, test } from 'vitest';
import { Slots } from '../../src/health/slots.ts';
import { settled } from '../fixtures/core.ts';

test('as many places are handed out as there are', async () => {
  const slots = new Slots(2);
  let taken = 0;
  for (let each = 0; each < 5; each++) void slots.take().then(() => taken++);
  await settled();
  expect(taken).toBe(2);
});

test('a place that is given back goes to the one who has waited longest', async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const first = await slots.take();
  void slots.take().then(() => order.push('second'));
  void slots.take().then(() => order.push('third'));
  first[Symbol.dispose]();
  await settled();
  expect(order).toEqual(['second']);
});

test('a place that nobody waits for is free again', async () => {
  const slots = new Slots(1);
  (await slots.take())[Symbol.dispose]();
  let taken = 0;
  void slots.take().then(() => taken++);
  await settled();
  expect(taken).toBe(1);
});
