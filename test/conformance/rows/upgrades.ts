import { check } from '../failure.ts';
import { chunked, elements, http, statusOf, values } from '../message.ts';
import { get, ok } from '../plays.ts';
import type { Group, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { agreement, handshake, hasGoodbye, masked, plain, texts } from '../websocket.ts';
import type { Wire } from '../wire.ts';

/** The member gets the handshake and agrees; `with` follows in the same packet. */
async function upgraded(stage: Stage, client: Wire, withText = ''): Promise<{ client: Wire; wire: Wire }> {
  const { request, wire } = await stage.arrival(client);
  check(elements(request.fields, 'connection').includes('upgrade'), 'the member is not asked to upgrade');
  check(values(request.fields, 'upgrade').join().toLowerCase() === 'websocket', 'the member is not asked to upgrade');
  wire.send(agreement(request) + withText);
  const answer = await client.answer();
  check(statusOf(answer) === 101, `${statusOf(answer)} instead of 101`);
  check(elements(answer.fields, 'connection').includes('upgrade'), '101 without `Connection: Upgrade`');
  check(values(answer.fields, 'upgrade').join().toLowerCase() === 'websocket', '101 without `Upgrade`');
  return { client, wire };
}

async function hears(stage: Stage, wire: Wire, text: string, otherwise: string): Promise<void> {
  check(await stage.progress.eventually(() => texts(wire.unread).join() === text), otherwise);
}

function isTold(stage: Stage, wire: Wire): Promise<boolean> {
  return stage.progress.eventually(() => wire.isOver || hasGoodbye(wire.unread));
}

function refusal(id: string, what: string, answer: string, status: number): Row {
  return {
    id,
    needs: 'upgrades',
    title: `An upgrade that is answered with ${what}: the client gets that, well-formed`,
    run: async (stage) => {
      const client = await stage.client(handshake);
      (await stage.arrival(client)).wire.send(answer);
      const got = await client.answer();
      check(statusOf(got) === status, `${statusOf(got)} instead of ${status}`);
      check(got.body === 'no', `the body is '${got.body.slice(0, 16)}'`);
      check(values(got.fields, 'upgrade').length === 0, '`Upgrade` in the refusal');
    },
  };
}

export const upgrades: Group = {
  title: 'Upgrades',
  rows: [
    {
      id: 'upgrade',
      needs: 'upgrades',
      title: 'After 101 both sides hear each other',
      run: async (stage) => {
        const { client, wire } = await upgraded(stage, await stage.client(handshake));
        client.send(masked('ping'));
        await hears(stage, wire, 'ping', 'the member hears nothing');
        wire.send(plain('pong'));
        await hears(stage, client, 'pong', 'the client hears nothing');
      },
    },
    {
      id: 'upgrade-member-bytes',
      needs: 'upgrades',
      title: 'Bytes of the member in the same packet as its 101 arrive',
      run: async (stage) => {
        const { client } = await upgraded(stage, await stage.client(handshake), plain('welcome'));
        await hears(stage, client, 'welcome', 'lost');
      },
    },
    {
      id: 'upgrade-client-bytes',
      needs: 'upgrades',
      title: 'Bytes of the client in the same packet as its request arrive',
      run: async (stage) => {
        const { wire } = await upgraded(stage, await stage.client(handshake + masked('hello')));
        await hears(stage, wire, 'hello', 'lost');
      },
    },
    {
      id: 'upgrade-member-leaves',
      needs: 'upgrades',
      title: "When the member ends the connection, the client's ends",
      run: async (stage) => {
        const { client, wire } = await upgraded(stage, await stage.client(handshake));
        wire.end();
        check(await isTold(stage, client), 'the client is not told');
      },
    },
    {
      id: 'upgrade-client-leaves',
      needs: 'upgrades',
      title: "When the client is reset, the member's connection ends",
      run: async (stage) => {
        const { client, wire } = await upgraded(stage, await stage.client(handshake));
        client.reset();
        check(await isTold(stage, wire), 'the member is not told');
      },
    },
    refusal(
      'upgrade-refused-chunked',
      '403 and a chunked body',
      `${http('HTTP/1.1 403 Forbidden', 'Transfer-Encoding: chunked')}${chunked('no')}`,
      403,
    ),
    refusal(
      'upgrade-refused-length',
      '403 and Content-Length',
      `${http('HTTP/1.1 403 Forbidden', 'Content-Length: 2')}no`,
      403,
    ),
    refusal('upgrade-ignored', '200', `${http('HTTP/1.1 200 OK', 'Content-Length: 2')}no`, 200),
    {
      id: 'upgrade-h2c',
      needs: 'upgrades',
      title: '`Upgrade: h2c` is not passed on, the request is',
      run: async (stage) => {
        const client = await stage.client(
          get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'),
        );
        const { request, wire } = await stage.arrival(client);
        for (const name of ['upgrade', 'http2-settings']) {
          check(values(request.fields, name).length === 0, `${name} is passed on`);
        }
        wire.send(ok);
        const { body } = await client.answer();
        check(body === 'ok', `the body is '${body}'`);
      },
    },
  ],
};
