import { check } from '../failure.ts';
import { type Answer, elements, http, statusOf } from '../message.ts';
import { blames, get, ok, post } from '../plays.ts';
import type { Group, Row } from '../row.ts';
import type { Wire } from '../wire.ts';

type Leaving = (wire: Wire) => void;

const byFin: Leaving = (wire) => wire.end();
const byReset: Leaving = (wire) => wire.reset();

/** The client goes before its answer is there. */
function clientLeaves(id: string, how: string, leaving: Leaving): Row {
  return {
    id,
    title: `A client that ${how} while the member works: the member's connection is closed`,
    run: async (stage) => {
      const client = await stage.client(get());
      const { wire } = await stage.arrival(client);
      leaving(client);
      check(await wire.ends(), 'the member works on');
    },
  };
}

/** A body that does not come to its end must not look as if it had. */
function memberDies(id: string, what: string, partial: string, leaving: Leaving, version = 'HTTP/1.1'): Row {
  return {
    id,
    title: `${what}: the client sees that the answer is cut`,
    run: async (stage) => {
      const client = await stage.client(http(`GET / ${version}`, 'Host: a.example'));
      const { wire } = await stage.arrival(client);
      wire.send(partial);
      check(await client.receives('hel'), 'not even the start arrives');
      leaving(wire);
      let answer: Answer | undefined;
      const isDone = () => {
        answer ??= client.takeAnswer();
        return answer !== undefined || client.isOver;
      };
      check(await stage.progress.eventually(isDone), 'the client is left waiting');
      check(answer === undefined, 'looks complete');
      // Which a client of HTTP/1.0 does not understand: to it every end is a good one.
      const isChunked = client.received.toLowerCase().includes('\r\ntransfer-encoding:');
      check(version === 'HTTP/1.1' || !isChunked, 'Transfer-Encoding for HTTP/1.0');
    },
  };
}

const inChunks = `${http('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`;
const byLength = `${http('HTTP/1.1 200 OK', 'Content-Length: 10')}hello`;

export const endings: Group = {
  title: 'Ends before the end',
  rows: [
    clientLeaves('client-closes', 'closes', (wire) => wire.leave()),
    clientLeaves('client-resets', 'is reset', byReset),
    {
      id: 'client-leaves-mid-answer',
      title: "A client that is reset in the middle of its answer: the member's connection is closed",
      run: async (stage) => {
        const client = await stage.client(get());
        const { wire } = await stage.arrival(client);
        wire.send(inChunks);
        check(await client.receives('hello'), 'not even the start arrives');
        client.reset();
        check(await wire.ends(), 'the member works on');
      },
    },
    {
      id: 'client-leaves-mid-request',
      title: 'A client that is reset in the middle of its body: the member sees that the request is cut',
      run: async (stage) => {
        const client = await stage.client(`${post('Transfer-Encoding: chunked')}5\r\nhello\r\n`);
        const wire = await stage.headArrival(client);
        check(await wire.receives('hello'), 'not even the start arrives');
        client.reset();
        check(await wire.ends(), 'the member is left waiting');
        check(wire.takeRequest() === undefined, 'looks complete');
      },
    },
    memberDies('member-ends-mid-chunks', 'A member that ends amid chunks', inChunks, byFin),
    memberDies('member-resets-mid-chunks', 'A member that is reset amid chunks', inChunks, byReset),
    memberDies('member-ends-early', 'A member that ends before its Content-Length', byLength, byFin),
    memberDies('member-resets-early', 'A member that is reset before its Content-Length', byLength, byReset),
    memberDies(
      'member-ends-http10',
      'A member that ends amid chunks for a client of HTTP/1.0',
      inChunks,
      byFin,
      'HTTP/1.0',
    ),
    memberDies(
      'member-resets-until-close',
      'A member that is reset in a body without a length',
      `${http('HTTP/1.1 200 OK', 'Connection: close')}hello`,
      byReset,
    ),
    memberDies('member-breaks-chunks', 'A member whose chunks turn malformed', inChunks, (wire) =>
      wire.send('evil\r\n'),
    ),
    {
      id: 'member-breaks-chunks-at-once',
      title:
        'A member whose chunks are malformed right behind its head: 502, or the client sees that the answer is cut',
      run: async (stage) => {
        const client = await stage.client(get());
        (await stage.arrival(client)).wire.send(`${inChunks}evil\r\n`);
        const isDone = () => client.isOver || (client.finalHead !== undefined && statusOf(client.finalHead) >= 500);
        check(await stage.progress.eventually(isDone), 'the client is left waiting');
        const answer = client.takeAnswer();
        check(answer === undefined || statusOf(answer) >= 500, 'looks complete');
      },
    },
    {
      id: 'member-resets-before-answer',
      title: 'A member that is reset before it answers a POST: 502',
      run: async (stage) => {
        const client = await stage.client(`${post('Content-Length: 5')}hello`);
        (await stage.arrival(client)).wire.reset();
        await blames(stage, client, 502);
      },
    },
    {
      id: 'answer-before-body',
      title: 'An answer before the whole body was read: `Connection: close`, and neither connection is used again',
      run: async (stage) => {
        const client = await stage.client(`${post('Content-Length: 100000')}hello`);
        const wire = await stage.headArrival(client);
        wire.send(ok.replace('200 OK', '413 Content Too Large'));
        const answer = await client.answer();
        check(statusOf(answer) === 413, String(statusOf(answer)));
        check(elements(answer.fields, 'connection').includes('close'), 'not told to close');
        check(await client.ends(), 'told to close, but left open');
        const next = await stage.client(get());
        await stage.progress.until(
          () => stage.member.wires.some((each) => each !== wire && each.received !== ''),
          'no other',
        );
        check(!wire.received.includes('GET'), "the member's is used again");
        next.leave();
      },
    },
  ],
};
