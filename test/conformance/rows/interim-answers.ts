import { check } from '../failure.ts';
import { type Answer, http, statusOf, values } from '../message.ts';
import { get, ok, post } from '../plays.ts';
import type { Group, Row } from '../row.ts';

const waiting = post('Content-Length: 5', 'Expect: 100-continue');
const goOn = http('HTTP/1.1 100 Continue');
const hints = http('HTTP/1.1 103 Early Hints', 'Link: </style.css>; rel=preload');

function interimOf({ interim }: Answer): string {
  return interim.map(statusOf).join();
}

/** A member that does not want the body. */
function refusedBody(id: string, status: string): Row {
  return {
    id,
    title: `A member that answers ${status.slice(0, 3)} instead is heard, and no 100 comes before that`,
    run: async (stage) => {
      const client = await stage.client(waiting);
      const wire = await stage.headArrival(client);
      wire.send(`${http(`HTTP/1.1 ${status}`, 'Content-Length: 2')}no`);
      const answer = await client.answer();
      check(statusOf(answer) === Number(status.slice(0, 3)), `${statusOf(answer)}`);
      check(answer.interim.length === 0, `${interimOf(answer)} before that`);
    },
  };
}

export const interimAnswers: Group = {
  title: 'Interim answers',
  rows: [
    {
      id: 'early-hints',
      title: '103 reaches the client, before the answer is there',
      run: async (stage) => {
        const client = await stage.client(get());
        const { wire } = await stage.arrival(client);
        wire.send(hints);
        const isAtOnce = await client.receives('rel=preload\r\n');
        wire.send(ok);
        const answer = await client.answer();
        check(interimOf(answer) === '103', answer.interim.length === 0 ? 'dropped' : interimOf(answer));
        check(isAtOnce, 'only with the answer');
        check(answer.body === 'ok', `then '${answer.body}'`);
      },
    },
    {
      id: 'interim-several',
      title: 'Several interim answers in one packet with the final one arrive in order',
      run: async (stage) => {
        const client = await stage.client(get());
        const { wire } = await stage.arrival(client);
        wire.send(http('HTTP/1.1 102 Processing') + hints + hints + ok);
        const answer = await client.answer();
        check(interimOf(answer) === '102,103,103', interimOf(answer) || 'dropped');
        check(answer.body === 'ok', `then '${answer.body}'`);
      },
    },
    {
      id: 'interim-http10',
      title: 'A client of HTTP/1.0 gets no interim answer',
      run: async (stage) => {
        const client = await stage.client(http('GET / HTTP/1.0', 'Host: a.example'));
        const { wire } = await stage.arrival(client);
        wire.send(hints + ok);
        const answer = await client.answer();
        check(answer.interim.length === 0, interimOf(answer));
        check(answer.body === 'ok', `then '${answer.body}'`);
      },
    },
    {
      id: 'expect-passed-on',
      title: '`Expect: 100-continue` reaches the member before the body',
      run: async (stage) => {
        const client = await stage.client(waiting);
        const wire = await stage.headArrival(client);
        check(
          values(wire.head?.fields ?? [], 'expect')
            .join()
            .toLowerCase() === '100-continue',
          'dropped',
        );
      },
    },
    {
      id: 'expect-waits',
      title: 'The client is told 100 when the member says so, and not before',
      run: async (stage) => {
        const client = await stage.client(waiting);
        const wire = await stage.headArrival(client);
        await stage.quiet();
        check(client.received === '', '100 of its own');
        wire.send(goOn);
        check(await client.receives(' 100 '), "the member's is dropped");
      },
    },
    {
      id: 'expect-once',
      title: 'The client is told 100 exactly once, and its body and the answer pass',
      run: async (stage) => {
        const client = await stage.client(waiting);
        const wire = await stage.headArrival(client);
        wire.send(goOn);
        check(await client.receives(' 100 '), 'never');
        client.send('hello');
        const { request } = await stage.arrival(client);
        check(request.body === 'hello', `the body is '${request.body}'`);
        wire.send(ok);
        const answer = await client.answer();
        check(interimOf(answer) === '100', interimOf(answer));
        check(answer.body === 'ok', `${statusOf(answer)} '${answer.body}'`);
      },
    },
    {
      id: 'expect-impatient',
      title: 'A body that does not wait for 100 reaches the member',
      run: async (stage) => {
        const client = await stage.client(`${waiting}hello`);
        const { request, wire } = await stage.arrival(client);
        check(request.body === 'hello', `the body is '${request.body}'`);
        wire.send(ok);
        const answer = await client.answer();
        check(answer.body === 'ok', `${statusOf(answer)} '${answer.body}'`);
      },
    },
    {
      id: 'expect-http10',
      title: 'A client of HTTP/1.0 that expects 100 is not told 100',
      run: async (stage) => {
        const client = await stage.client(`${waiting.replace('HTTP/1.1', 'HTTP/1.0')}hello`);
        const { wire } = await stage.arrival(client);
        wire.send(goOn + ok);
        const answer = await client.answer();
        check(answer.interim.length === 0, interimOf(answer));
        check(answer.body === 'ok', `${statusOf(answer)} '${answer.body}'`);
      },
    },
    refusedBody('expect-417', '417 Expectation Failed'),
    refusedBody('expect-413', '413 Content Too Large'),
  ],
};
