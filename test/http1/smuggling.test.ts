import { describe, expect, test } from 'vitest';
import { answers, refusal, requests } from '../fixtures/http1.ts';
import type { Relayed } from '../fuzz/relay.mjs';
import { objections } from '../fuzz/scrutiny.mjs';
import { type Attack, smugglingRequests, smugglingResponses } from './smuggling.mjs';

function complete({ messages }: Relayed): Relayed['messages'] {
  return messages.filter(({ isComplete }) => isComplete);
}

/** What goes on, even of what is refused later. */
function outOf({ messages }: Relayed): string {
  return messages.map(({ out }) => out).join('');
}

function hasExpectedEnd(relayed: Relayed, { refused, messages = refused === 0 ? 1 : 0 }: Attack): void {
  expect([relayed.error?.status ?? 0, complete(relayed).length], refusal(relayed)).toEqual([refused, messages]);
}

function goesOnAs(relayed: Relayed, { gone = [], leaves = [] }: Attack): void {
  const out = outOf(relayed);
  for (const each of gone) expect(out).not.toContain(each);
  for (const each of leaves) expect(out).toContain(each);
}

describe('of requests that smuggle', () => {
  for (const attack of smugglingRequests) {
    test(`${attack.refused === 0 ? 'nothing ambiguous goes on' : 'none is passed on'}: ${attack.name}`, () => {
      const relayed = requests(attack.bytes);
      hasExpectedEnd(relayed, attack);
      goesOnAs(relayed, attack);
      for (const { out } of complete(relayed)) expect(objections(out)).toEqual([]);
    });
  }

  test('nothing depends on how they are cut', () => {
    for (const attack of smugglingRequests) {
      const relayed = requests([...attack.bytes]);
      // What no line end follows is looked at when it comes.
      if (relayed.error !== undefined || attack.refused === 0) hasExpectedEnd(relayed, attack);
    }
  });
});

describe('of answers that split', () => {
  for (const attack of smugglingResponses) {
    test(`${attack.refused === 0 ? 'nothing ambiguous goes on' : 'none is passed on'}: ${attack.name}`, () => {
      const relayed = answers(attack.bytes);
      hasExpectedEnd(relayed, attack);
      goesOnAs(relayed, attack);
      for (const { out, status } of complete(relayed)) expect(objections(out, { status })).toEqual([]);
    });
  }
});

test('there are no two attacks of the same name', () => {
  const names = [...smugglingRequests, ...smugglingResponses].map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.length).toBeGreaterThan(600);
});
