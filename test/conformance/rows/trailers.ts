import { check } from '../failure.ts';
import { chunked, http, values } from '../message.ts';
import { exchange, get, ok, post } from '../plays.ts';
import type { Group, Row } from '../row.ts';

const answer = `${http('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Trailer: X-Sum')}${chunked('hello', 'X-Sum: 42')}`;

/** Dropping them will do, and so will refusing the request. */
function trailerWithout(id: string, title: string, ...forbidden: readonly string[]): Row {
  return {
    id,
    title,
    run: async (stage) => {
      stage.member.answers(ok);
      const client = await stage.client(`${post('Transfer-Encoding: chunked')}${chunked('hello', ...forbidden)}`);
      await client.answer();
      const arrived = forbidden.filter((line) => stage.member.received.toLowerCase().includes(line.toLowerCase()));
      check(arrived.length === 0, `passed on: ${arrived.join('; ')}`);
    },
  };
}

export const trailers: Group = {
  title: 'Trailers',
  rows: [
    {
      id: 'answer-trailer',
      title: 'The trailer of an answer reaches the client',
      run: async (stage) => {
        const { answer: got } = await exchange(stage, get('TE: trailers', 'Connection: TE'), answer);
        check(got.body === 'hello', `the body is '${got.body}'`);
        check(values(got.trailers, 'x-sum').join() === '42', 'dropped');
      },
    },
    {
      id: 'answer-trailer-announced',
      title: '`Trailer` announces none that does not come',
      run: async (stage) => {
        const { answer: got } = await exchange(stage, get('TE: trailers', 'Connection: TE'), answer);
        check(got.trailers.length > 0 || values(got.fields, 'trailer').length === 0, 'announced, and dropped');
      },
    },
    {
      id: 'answer-trailer-http10',
      title: '`Trailer` is not left for a client of HTTP/1.0, which gets no trailer',
      run: async (stage) => {
        const { answer: got } = await exchange(stage, http('GET / HTTP/1.0', 'Host: a.example'), answer);
        check(!got.body.includes('X-Sum'), 'the trailer is in the body');
        check(values(got.fields, 'trailer').length === 0, 'announced, and dropped');
      },
    },
    {
      id: 'request-trailer',
      title: 'The trailer of a request reaches the member',
      run: async (stage) => {
        const sent = `${post('Transfer-Encoding: chunked', 'Trailer: X-Sum')}${chunked('hello', 'X-Sum: 42')}`;
        const { request } = await exchange(stage, sent);
        check(request.body === 'hello', `the body is '${request.body}'`);
        check(values(request.trailers, 'x-sum').join() === '42', 'dropped');
      },
    },
    trailerWithout(
      'request-trailer-framing',
      'Fields that frame or route do not reach the member in a trailer',
      'Content-Length: 99',
      'Transfer-Encoding: gzip',
      'Host: b.example',
    ),
    trailerWithout(
      'request-trailer-claims',
      'What a client claims about itself does not reach the member in a trailer',
      'X-Forwarded-For: 198.51.100.7',
      'Forwarded: for=198.51.100.7',
    ),
  ],
};
