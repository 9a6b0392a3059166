import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { httpCookiePersistence } from '../../src/index.ts';
import { readPersistence } from '../../src/persistence/persistence-spec.ts';
import { makePool } from '../fixtures/core.ts';

const secret = 'nobody is to read this';

function shown(thing: unknown): string {
  return inspect(thing, { depth: 9, showHidden: true, getters: true });
}

function errorOf(spec: object): unknown {
  try {
    return readPersistence(spec, 'persistence');
  } catch (error) {
    return error;
  }
}

test('the secret of cookies is in nothing that somebody may log', () => {
  const persistence = httpCookiePersistence({ secret });
  const pool = makePool({ persistence });
  for (const thing of [persistence, pool]) {
    expect(shown(thing)).not.toContain(secret);
    expect(JSON.stringify(thing)).not.toContain(secret);
  }
});

test.each([
  { name: 'SRV', secret },
  { type: 'cookie', secret },
  { type: 'http-cookie', secrets: secret },
  { type: 'source-ip', secret },
])('nor in the error of a spec that is not taken, %#', (spec) => {
  const error = errorOf(spec);
  expect(error).toMatchObject({ code: 'ERR_EVENKEEL_SPEC' });
  expect(shown(error)).not.toContain(secret);
  expect(JSON.stringify(error)).not.toContain(secret);
});
