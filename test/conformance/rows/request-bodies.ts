import { check } from '../failure.ts';
import { chunked, http, values } from '../message.ts';
import { exchange, get, ok, post } from '../plays.ts';
import type { Group, Row } from '../row.ts';

/** Without its framing it would be a request of its own. */
const body = http('GET /smuggled HTTP/1.1', 'Host: a.example');

function framed(method: string, how: 'length' | 'chunked'): Row {
  const field = how === 'length' ? `Content-Length: ${body.length}` : 'Transfer-Encoding: chunked';
  return {
    id: `${method.toLowerCase()}-${how}`,
    title: `${method} with a body (${how === 'length' ? 'Content-Length' : 'chunked'}): the body arrives, framed`,
    run: async (stage) => {
      const sent = http(`${method} / HTTP/1.1`, 'Host: a.example', field) + (how === 'length' ? body : chunked(body));
      const { request, wire } = await exchange(stage, sent);
      // What is not framed may come a little later.
      if (request.body !== body) await stage.quiet();
      check(wire.unread === '' && stage.member.take() === undefined, 'the body becomes a request of its own');
      check(request.body === body, request.body === '' ? 'the body is lost' : 'the body is changed');
    },
  };
}

export const requestBodies: Group = {
  title: 'Targets, bodies and pipelining',
  rows: [
    {
      id: 'absolute-same-host',
      title: 'A target in absolute form is passed on in origin form',
      run: async (stage) => {
        const { request } = await exchange(stage, http('GET http://a.example/p?q=1 HTTP/1.1', 'Host: a.example'));
        check(request.line === 'GET /p?q=1 HTTP/1.1', `arrives as ${request.line}`);
      },
    },
    {
      id: 'absolute-without-path',
      title: 'A target in absolute form without a path becomes `/`',
      run: async (stage) => {
        const { request } = await exchange(stage, http('GET http://a.example?q=1 HTTP/1.1', 'Host: a.example'));
        check(request.line === 'GET /?q=1 HTTP/1.1', `arrives as ${request.line}`);
      },
    },
    {
      id: 'asterisk',
      title: '`OPTIONS *` is passed on as it is',
      run: async (stage) => {
        const { request } = await exchange(stage, http('OPTIONS * HTTP/1.1', 'Host: a.example'));
        check(request.line === 'OPTIONS * HTTP/1.1', `arrives as ${request.line}`);
      },
    },
    {
      id: 'target-kept',
      title: 'A target is not decoded, resolved or put together anew',
      run: async (stage) => {
        const target = '//a/./b/../%2e%2E/%41?&&x=%20+;y&y=1?';
        const { request } = await exchange(stage, get().replace('/ ', `${target} `));
        check(request.line === `GET ${target} HTTP/1.1`, `arrives as ${request.line}`);
      },
    },
    ...['GET', 'DELETE', 'OPTIONS'].flatMap((method) => [framed(method, 'length'), framed(method, 'chunked')]),
    {
      id: 'post-empty',
      title: '`Content-Length: 0` reaches the member',
      run: async (stage) => {
        const { request } = await exchange(stage, post('Content-Length: 0'));
        check(values(request.fields, 'content-length').join() === '0', 'dropped');
        check(request.framing === 'length', `framed as ${request.framing}`);
      },
    },
    {
      id: 'chunk-extensions',
      title: 'Chunk extensions do not reach the member',
      run: async (stage) => {
        const sent = `${post('Transfer-Encoding: chunked')}5;name=value\r\nhello\r\n0;last="1"\r\n\r\n`;
        const { request, wire } = await exchange(stage, sent);
        check(request.body === 'hello', `the body is '${request.body}'`);
        check(!/name|last/.test(wire.received), 'passed on');
      },
    },
    {
      id: 'pipelined',
      title: 'Pipelined requests are answered in order, even where the first one takes longest',
      run: async (stage) => {
        const client = await stage.client(['/1', '/2', '/3'].map((path) => get().replace('/ ', `${path} `)).join(''));
        const first = await stage.arrival(client);
        // Long enough for the others to arrive, where they are not held back.
        await stage.quiet();
        const answer = (line: string) => `${http('HTTP/1.1 200 OK', 'Content-Length: 2')}${line.split(' ')[1]}`;
        const others = [stage.member.take(), stage.member.take()].filter((arrival) => arrival !== undefined);
        for (const { request, wire } of others) wire.send(answer(request.line));
        first.wire.send(answer(first.request.line));
        const bodies: string[] = [];
        for (let answered = 1 + others.length; bodies.length < 3; answered++) {
          while (bodies.length < answered) bodies.push((await client.answer()).body);
          if (answered === 3) break;
          const { request, wire } = await stage.arrival(client);
          wire.send(answer(request.line));
        }
        check(bodies.join() === '/1,/2,/3', bodies.join());
      },
    },
    {
      id: 'pipelined-after-body',
      title: 'A request behind a body is no part of it, and the body no request',
      run: async (stage) => {
        const sent = `${post(`Content-Length: ${body.length}`)}${body}${get().replace('/ ', '/second ')}`;
        const client = await stage.client(sent);
        const first = await stage.arrival(client);
        check(first.request.body === body, 'the body is changed');
        first.wire.send(ok);
        await client.answer();
        const second = await stage.arrival(client);
        check(second.request.line === 'GET /second HTTP/1.1', `arrives as ${second.request.line}`);
        second.wire.send(ok);
        await client.answer();
      },
    },
    {
      id: 'http10-without-host',
      title: 'A request of HTTP/1.0 without Host is served, and has one where it goes on as HTTP/1.1',
      run: async (stage) => {
        const { answer, request } = await exchange(stage, http('GET / HTTP/1.0'));
        check(answer.body === 'ok', answer.line);
        const hosts = values(request.fields, 'host').length;
        check(hosts === 1 || request.line.endsWith('HTTP/1.0'), 'HTTP/1.1 without Host');
      },
    },
  ],
};
