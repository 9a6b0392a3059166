import { check } from '../failure.ts';
import { http } from '../message.ts';
import { exchange, get, ok, serves } from '../plays.ts';
import type { Group, Row } from '../row.ts';

/** What a member sends that nobody asked for. */
function leftover(id: string, what: string, answer: string, method = 'GET'): Row {
  return {
    id,
    title: `${what} do not reach the next client`,
    run: async (stage) => {
      const { client } = await exchange(stage, get().replace('GET', method), answer);
      await stage.quiet();
      check(client.unread === '', 'they reach this one');
      await serves(stage);
    },
  };
}

const evil = `${http('HTTP/1.1 200 OK', 'Content-Length: 4')}evil`;

export const leftovers: Group = {
  title: 'What a member sends beyond its answer',
  rows: [
    leftover('beyond-length', 'Bytes beyond Content-Length', ok + evil),
    leftover(
      'beyond-chunks',
      'Bytes beyond the last chunk',
      `${http('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}0\r\n\r\n${evil}`,
    ),
    leftover(
      'beyond-head',
      'The bytes of a body in an answer to HEAD',
      http('HTTP/1.1 200 OK', `Content-Length: ${evil.length}`) + evil,
      'HEAD',
    ),
    leftover('beyond-no-content', 'Bytes beyond a 204', http('HTTP/1.1 204 No Content') + evil),
    leftover(
      'beyond-not-modified',
      'Bytes beyond a 304',
      http('HTTP/1.1 304 Not Modified', 'Content-Length: 4') + evil,
    ),
    {
      id: 'out-of-turn',
      title: 'An answer that a member sends while it is idle reaches neither the last client nor the next one',
      run: async (stage) => {
        const { wire, client } = await exchange(stage, get());
        wire.send(evil);
        await stage.quiet();
        check(client.unread === '', 'it reaches the last one');
        await serves(stage);
      },
    },
    {
      id: 'out-of-turn-alone',
      title: 'An answer that a member sends while nobody is there does not reach the next client',
      run: async (stage) => {
        const { wire, client } = await exchange(stage, get());
        client.leave();
        await stage.quiet();
        wire.send(evil);
        await stage.quiet();
        await serves(stage);
      },
    },
  ],
};
