import { describe, expect, test } from 'vitest';
import { Backend } from '../../fixtures/node/backend.ts';
import { strict } from '../../fixtures/node/ejections.ts';
import { answers, answers503, ejecting } from '../../fixtures/node/http/ejecting.ts';
import { httpLoad } from '../../fixtures/node/http/load.ts';

describe('an HTTP member', () => {
  test('that answers 503 is ejected after three of them, and the others serve everybody from then on', async () => {
    await using stage = await ejecting(3, answers503);
    expect(await stage.fates(30)).toEqual({ 200: 27, 503: 3 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(stage.bad.requests).toHaveLength(3);
    await stage.ends();
  });

  test('that resets what it is asked is ejected after three, and nobody notices whose request may be sent again', async () => {
    await using stage = await ejecting(3, (heard) => heard.wire.reset());
    expect(await stage.fates(30)).toEqual({ 200: 30 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(stage.bad.requests).toHaveLength(3);
    await stage.ends();
  });

  test('costs three clients an answer where their requests may not be sent twice', async () => {
    await using stage = await ejecting(3, (heard) => heard.wire.reset());
    expect(await stage.fates(30, { body: 'once' })).toEqual({ 200: 27, 502: 3 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    await stage.ends();
  });

  test('that resets connections as soon as it has taken them is ejected', async () => {
    await using stage = await ejecting(3, answers);
    await stage.bad.stop();
    const { address: host, port } = stage.bad.spec;
    await using rude = await Backend.start({ host, port, does: (socket) => void socket.resetAndDestroy() });
    expect(await stage.fates(30)).toEqual({ 200: 30 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(rude.accepted).toBe(3);
    await stage.ends();
  });

  test('that hangs is ejected after three answers that did not come in time', async () => {
    await using stage = await ejecting(3, () => {}, {}, { timeouts: { member: 60 } });
    expect(await stage.fates(30)).toEqual({ 200: 27, 504: 3 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    await stage.ends();
  });

  test('that nobody can connect to is ejected after three tries, and nobody notices', async () => {
    await using stage = await ejecting(3, answers);
    await stage.bad.stop();
    expect(await stage.fates(30)).toEqual({ 200: 30 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    expect(stage.scene.vip.stats).toMatchObject({ connectFailures: 3, rejects: 0 });
    await stage.ends();
  });

  test('that breaks off in the middle of its answers is ejected', async () => {
    await using stage = await ejecting(3, (heard) => {
      heard.say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
      heard.wire.socket.end();
    });
    const fates = await stage.fates(30);
    expect([fates['200'], stage.ejections.heard]).toEqual([27, ['m3 ejected: consecutive-failures']]);
    await stage.ends();
  });

  test('that talks nonsense is ejected', async () => {
    await using stage = await ejecting(3, (heard) => heard.say('220 mail.example ESMTP\r\n\r\n'));
    expect(await stage.fates(30)).toEqual({ 200: 27, 502: 3 });
    expect(stage.ejections.heard).toEqual(['m3 ejected: consecutive-failures']);
    await stage.ends();
  });

  test('that fails now and then is not ejected for failures in a row', async () => {
    let turn = 0;
    await using stage = await ejecting(3, (heard) => heard.answer('', { status: ++turn % 3 === 0 ? 200 : 503 }));
    expect(await stage.fates(90)).toEqual({ 200: 70, 503: 20 });
    expect(stage.ejections.heard).toEqual([]);
    await stage.ends();
  });

  test('of which too many requests in an interval fail is ejected for that', async () => {
    let turn = 0;
    await using stage = await ejecting(
      3,
      (heard) => heard.answer(heard.wire.member.name, { status: ++turn % 2 === 0 ? 200 : 500 }),
      {
        outlierDetection: {
          ...strict,
          interval: 100,
          failurePercentage: { threshold: 40, minMembers: 3, minRequests: 10 },
        },
      },
    );
    await using load = httpLoad(stage.scene.place, 8);
    await stage.ejections.until('m3 ejected: failure-percentage');
    await load.stop();
    expect(Object.keys(load.complaints())).toEqual(['m3']);
    await stage.ends();
  });

  test('under load fails no more clients than were with it, and three', async () => {
    await using stage = await ejecting(4, (heard) => heard.wire.reset());
    await using load = httpLoad(stage.scene.place, 16, '/', { body: 'once' });
    await load.more(400);
    await load.stop();
    expect(stage.ejections.heard).toEqual(['m4 ejected: consecutive-failures']);
    expect(load.failures.length).toBeLessThanOrEqual(16 + 3);
    await stage.ends();
  });
});
