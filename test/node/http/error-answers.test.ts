import { describe, expect, test } from 'vitest';
import type { ErrorAnswerer, FailedRequest } from '../../../src/index.ts';
import { ask, HttpClient } from '../../fixtures/node/http/client.ts';
import { HttpMember } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';

describe('an answer of our own', () => {
  test('is a line of text, or JSON for those who would rather have that', async () => {
    await using scene = await httpScene([]);
    const text = await ask(scene.place);
    expect(text.body).toBe('503 Service Unavailable: no member is available\n');
    expect(text.field('Content-Type')).toBe('text/plain; charset=utf-8');
    expect(text.field('Date')).toMatch(/ GMT$/);
    const json = await ask(scene.place, '/', { fields: ['Accept: application/json'] });
    expect(JSON.parse(json.body)).toEqual({
      status: 503,
      error: 'Service Unavailable',
      reason: 'no member is available',
    });
    expect(json.field('Content-Type')).toBe('application/json');
    await scene.isAtRest();
  });

  test('may be the user’s, who is told what failed', async () => {
    const asked: FailedRequest[] = [];
    const errorAnswer: ErrorAnswerer = (failed) => {
      asked.push(failed);
      return { headers: { 'Content-Type': 'text/html', 'X-Status': String(failed.status) }, body: '<p>Grüße</p>' };
    };
    await using scene = await httpScene([], {}, { errorAnswer });
    const answer = await ask(scene.place, '/here?', { fields: ['Accept: text/html'] });
    expect(answer.line).toBe('HTTP/1.1 503 Service Unavailable');
    expect(Buffer.from(answer.body, 'latin1').toString()).toBe('<p>Grüße</p>');
    expect([answer.field('Content-Type'), answer.field('X-Status')]).toEqual(['text/html', '503']);
    const reason = 'no member is available';
    expect(asked).toEqual([{ status: 503, reason, method: 'GET', target: '/here?', accept: 'text/html' }]);

    using client = await HttpClient.connect(scene.place);
    client.send('nonsense\r\n\r\n');
    expect((await client.answer()).status).toBe(400);
    expect(asked[1]).toMatchObject({ status: 400, method: undefined, target: undefined, accept: undefined });
    client.end();
    await scene.isAtRest();
    expect(scene.troubles).toEqual([]);
  });

  test('may be bytes', async () => {
    const body = Uint8Array.from({ length: 256 }, (_, index) => index);
    await using scene = await httpScene([], {}, { errorAnswer: () => ({ body }) });
    const answer = await ask(scene.place);
    expect(Buffer.from(answer.body, 'latin1')).toEqual(Buffer.from(body));
    await scene.isAtRest();
  });

  test('may be empty', async () => {
    await using scene = await httpScene([], {}, { errorAnswer: () => ({}) });
    const { status, framing, fields } = await ask(scene.place);
    expect([status, framing]).toEqual([503, 'none']);
    expect(fields.map(([name]) => name)).toEqual(['Date', 'Content-Length', 'Connection']);
    await scene.isAtRest();
  });

  test('to HEAD has no body, and says how long it would be', async () => {
    await using scene = await httpScene([], {}, { errorAnswer: () => ({ body: 'sorry' }) });
    using client = await HttpClient.connect(scene.place);
    const { status, body, fields } = await client.ask('/', { method: 'HEAD' });
    expect([status, body]).toEqual([503, '']);
    expect(fields).toContainEqual(['Content-Length', '5']);
    await client.closed();
    await scene.isAtRest();
  });

  test('has our framing, whatever the user’s headers say, and a date of theirs if they have one', async () => {
    const headers = {
      'content-length': '3',
      'Transfer-Encoding': 'chunked',
      Connection: 'keep-alive',
      'Keep-Alive': 'timeout=5',
      Date: 'Thu, 01 Jan 1970 00:00:00 GMT',
      'Retry-After': '5',
    };
    await using scene = await httpScene([], {}, { errorAnswer: () => ({ headers, body: 'hello' }) });
    using client = await HttpClient.connect(scene.place);
    const { body, fields } = await client.ask('/');
    expect(body).toBe('hello');
    expect(new Map(fields)).toEqual(
      new Map([
        ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
        ['Retry-After', '5'],
        ['Content-Length', '5'],
        ['Connection', 'close'],
      ]),
    );
    expect(fields).toHaveLength(4);
    await client.closed();
    await scene.isAtRest();
  });

  const bad: [what: string, errorAnswer: unknown][] = [
    [
      'throws',
      () => {
        throw new Error('not today');
      },
    ],
    ['returns nothing', () => undefined],
    ['returns a text', () => 'sorry'],
    ['returns a promise', async () => ({ body: 'later' })],
    ['returns a promise that fails', () => Promise.reject(new Error('later'))],
    ['returns a body of another kind', () => ({ body: 5 })],
    ['returns headers of another kind', () => ({ headers: 'X: y' })],
    ['returns null for headers', () => ({ headers: null })],
    ['has a header with a line end in its value', () => ({ headers: { 'X-Evil': 'a\r\nSet-Cookie: evil' } })],
    ['has a header with a blank in its name', () => ({ headers: { 'X Evil': 'a' } })],
    ['has a header without a name', () => ({ headers: { '': 'a' } })],
    ['has a header whose value is a number', () => ({ headers: { 'Retry-After': 5 } })],
    ['has a header whose value is not latin1', () => ({ headers: { 'X-Evil': 'č\u0d0a' } })],
  ];
  test.each(bad)('is the plain one where the user’s %s, and the listener tells', async (_what, errorAnswer) => {
    await using scene = await httpScene([], {}, { errorAnswer: errorAnswer as ErrorAnswerer });
    const { status, body, fields } = await ask(scene.place);
    expect([status, body]).toEqual([503, '503 Service Unavailable: no member is available\n']);
    expect(fields.some(([name]) => /evil|cookie/i.test(name))).toBe(false);
    expect(scene.troubles).toMatchObject([{ code: 'ERR_EVENKEEL_ERROR_ANSWER', cause: expect.any(Error) }]);
    await scene.isAtRest();
  });

  test('takes the place of a member’s that makes no sense, and of none that does', async () => {
    await using member = await HttpMember.start({ does: (heard) => heard.answer('theirs', { status: 503 }) });
    await using scene = await httpScene([member], {}, { errorAnswer: () => ({ body: 'ours' }) });
    expect((await ask(scene.place)).body).toBe('theirs');
    member.does = (heard) => heard.say('nonsense\r\n\r\n');
    expect(await ask(scene.place)).toMatchObject({ status: 502, body: 'ours' });
    await scene.isAtRest();
    expect(scene.vip.stats.responses5xx).toBe(2);
    expect(scene.pool.stats.responses5xx).toBe(1);
  });
});
