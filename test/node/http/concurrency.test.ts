import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { askOnAndOn, HttpClient, request } from '../../fixtures/node/http/client.ts';
import { type Heard, HttpFleet } from '../../fixtures/node/http/member.ts';
import { httpScene } from '../../fixtures/node/http/scene.ts';

/** Numbers that look random and are the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** Text that nobody else gets. */
function textOf(id: string, size: number): string {
  const word = `${id},${createHash('sha1').update(id).digest('hex')};`;
  return word.repeat(Math.ceil(size / word.length)).slice(0, size);
}

const sizes = [0, 1, 20, 500, 4000, 5000, 16_000, 17_000, 70_000, 300_000];

/** Answers `/id/size/seed` with the text that belongs to it, in pieces and in a framing that the seed decides; sometimes not to the end. */
async function answersAsItLikes(heard: Heard): Promise<void> {
  const [, id = '', size = '', seed = ''] = heard.target.split('/');
  const roll = dice(Number(seed));
  const text = textOf(id, Number(size));
  if (heard.message.body !== textOf(`${id}!`, heard.message.size)) throw new Error(`${id} has somebody else's body`);
  if (heard.message.method === 'POST' && roll(10) === 0) return heard.wire.reset();
  const framing = roll(4);
  const breaksOff = roll(40) === 0;
  if (framing === 0) heard.say('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
  else if (framing < 3) heard.say(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n`);
  else heard.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let at = 0; at < text.length; ) {
    if (breaksOff && at > text.length / 2) return heard.wire.reset();
    const piece = text.slice(at, at + 1 + roll(roll(2) === 0 ? 50 : 60_000));
    at += piece.length;
    heard.say(framing === 3 ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece);
    if (roll(4) === 0) await sleep(roll(3));
    else if (roll(2) === 0) await new Promise(setImmediate);
  }
  if (breaksOff) return heard.wire.reset();
  if (framing === 0) heard.wire.socket.end();
  else if (framing === 3) heard.say('0\r\n\r\n');
}

describe('many clients at once', () => {
  test('get each their own answers, whatever sizes and pieces they come in, while others leave', async () => {
    await using fleet = await HttpFleet.start(3, answersAsItLikes);
    await using scene = await httpScene(fleet, { strategy: 'least-connections' });
    const counts = { whole: 0, cut: 0, failed: 0, left: 0 };
    const isOver = (): boolean => counts.whole >= 1500;

    const clients = Array.from({ length: 30 }, (_, number) => {
      const roll = dice(number + 1);
      let turn = 0;
      return askOnAndOn(
        scene.place,
        async (client) => {
          const id = `${number}-${turn++}`;
          const size = sizes[roll(sizes.length)] ?? 0;
          const target = `/${id}/${size}/${roll(1_000_000)}`;
          const body = textOf(`${id}!`, roll(3) === 0 ? (sizes[roll(sizes.length)] ?? 0) : 0);
          const text = request(target, body === '' ? {} : { method: roll(2) === 0 ? 'PUT' : 'POST', body });
          client.send(text);
          if (roll(12) === 0) {
            counts.left++;
            for (let wait = roll(4); wait > 0; wait--) await new Promise(setImmediate);
            if (roll(2) === 0) client.reset();
            else client.socket.destroy();
            client.hasClosed = true;
            return;
          }
          const answer = await client.answer().catch(() => undefined);
          if (answer === undefined) {
            counts.cut++;
            const begun = client.answers.at(-1);
            if (begun?.status === 200) expect(textOf(id, size).startsWith(begun.body)).toBe(true);
            client.hasClosed = true;
          } else if (answer.status === 200) {
            counts.whole++;
            if (answer.body !== textOf(id, size))
              throw new Error(`${target} got ${answer.size} bytes, '${answer.body.slice(0, 60)}'`);
          } else {
            counts.failed++;
            expect(answer.status).toBe(502);
          }
        },
        isOver,
      );
    });
    await Promise.all(clients);
    await scene.isAtRest();
    expect(fleet.all.map(({ overlaps, faults }) => [overlaps, faults])).toEqual(new Array(3).fill([0, []]));
    const { stats } = scene.vip;
    expect(stats.responses2xx).toBeGreaterThanOrEqual(counts.whole);
    expect(stats.responses4xx).toBe(0);
    // Every way to end did happen.
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
    expect(counts.cut).toBeLessThan(counts.whole / 10);
    expect(stats.abortedRequests).toBeGreaterThan(0);
  });

  test('far more than there are kept connections are all served', async () => {
    await using fleet = await HttpFleet.start(2, (heard) => heard.answer(heard.target));
    await using scene = await httpScene(fleet, { keepAlive: { maxIdle: 3 } });
    const clients = await Promise.all(Array.from({ length: 300 }, () => HttpClient.connect(scene.place)));
    for (let round = 0; round < 4; round++) {
      for (const [index, client] of clients.entries()) client.request(`/${round}/${index}`);
      for (const [index, client] of clients.entries()) {
        expect((await client.answer()).body).toBe(`/${round}/${index}`);
      }
    }
    for (const client of clients) client.end();
    await scene.isAtRest();
    expect(fleet.all.map(({ requests }) => requests.length)).toEqual([600, 600]);
    for (const member of fleet.all) await member.until(() => member.open <= 3, 'three are kept');
  });
});
