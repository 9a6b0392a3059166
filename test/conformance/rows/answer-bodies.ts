import { check } from '../failure.ts';
import { chunked, http, values } from '../message.ts';
import { exchange, get, ok, serves, staysInStep } from '../plays.ts';
import type { Group } from '../row.ts';

export const answerBodies: Group = {
  title: 'Bodies of answers',
  rows: [
    {
      id: 'head',
      title: 'HEAD: Content-Length reaches the client, no body does',
      run: async (stage) => {
        const sent = get().replace('GET', 'HEAD');
        const { answer, client } = await exchange(stage, sent, http('HTTP/1.1 200 OK', 'Content-Length: 5'));
        check(values(answer.fields, 'content-length').join() === '5', 'Content-Length is lost');
        await staysInStep(stage, client);
      },
    },
    {
      id: 'head-chunked',
      title: 'HEAD: `Transfer-Encoding: chunked` of the member brings no body about',
      run: async (stage) => {
        const sent = get().replace('GET', 'HEAD');
        const { client } = await exchange(stage, sent, http('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'));
        await staysInStep(stage, client);
      },
    },
    {
      id: 'no-content',
      title: '204 has no body',
      run: async (stage) => {
        const { answer, client } = await exchange(stage, get(), http('HTTP/1.1 204 No Content', 'X-One: 1'));
        check(values(answer.fields, 'transfer-encoding').length === 0, 'Transfer-Encoding in 204');
        await staysInStep(stage, client);
      },
    },
    {
      id: 'not-modified',
      title: '304 has no body, whatever its Content-Length',
      run: async (stage) => {
        const { client } = await exchange(stage, get(), http('HTTP/1.1 304 Not Modified', 'Content-Length: 5'));
        await staysInStep(stage, client);
      },
    },
    {
      id: 'answer-chunked',
      title: 'A chunked body arrives whole, and the connection stays in step',
      run: async (stage) => {
        const sent = `${http('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}3\r\nhel\r\n${chunked('lo')}`;
        const { answer, client } = await exchange(stage, get(), sent);
        check(answer.body === 'hello', `the body is '${answer.body}'`);
        await staysInStep(stage, client);
      },
    },
    {
      id: 'answer-until-close',
      title: 'A body that ends with its connection arrives whole',
      run: async (stage) => {
        const client = await stage.client(get());
        (await stage.arrival(client)).wire.end(`${http('HTTP/1.1 200 OK', 'Connection: close')}hello`);
        const { body } = await client.answer();
        check(body === 'hello', `the body is '${body}'`);
      },
    },
    {
      id: 'http10-client-chunked',
      title: 'A client of HTTP/1.0 gets the data of a chunked body alone, up to the end of its connection',
      run: async (stage) => {
        const sent = `${http('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}${chunked('hello')}`;
        const { answer } = await exchange(stage, http('GET / HTTP/1.0', 'Host: a.example'), sent);
        check(values(answer.fields, 'transfer-encoding').length === 0, 'Transfer-Encoding for HTTP/1.0');
        check(answer.body === 'hello', `the body is '${answer.body}'`);
      },
    },
    {
      id: 'http10-client-closed',
      title: 'The connection of a client of HTTP/1.0 is closed after the answer',
      run: async (stage) => {
        const { client } = await exchange(stage, http('GET / HTTP/1.0', 'Host: a.example'));
        check(await client.ends(), 'stays open');
      },
    },
    {
      id: 'close-client',
      title: 'The connection of a client that says `Connection: close` is closed after the answer',
      run: async (stage) => {
        const { client } = await exchange(stage, get('Connection: close'));
        check(await client.ends(), 'stays open');
      },
    },
    {
      id: 'http10-member',
      title: 'The answer of a member of HTTP/1.0 arrives whole, as HTTP/1.1',
      run: async (stage) => {
        const client = await stage.client(get());
        (await stage.arrival(client)).wire.end(`${http('HTTP/1.0 200 OK')}hello`);
        const { line, body } = await client.answer();
        check(body === 'hello', `the body is '${body}'`);
        check(line.startsWith('HTTP/1.1 '), `arrives as ${line}`);
      },
    },
    {
      id: 'http10-member-not-kept',
      title: 'The connection of a member of HTTP/1.0 is not used again',
      run: async (stage) => {
        const { wire } = await exchange(stage, get(), ok.replace('HTTP/1.1', 'HTTP/1.0'));
        check((await serves(stage)).wire !== wire, 'used again');
      },
    },
    {
      id: 'close-member-not-kept',
      title: 'The connection of a member that says `Connection: close` is not used again',
      run: async (stage) => {
        const { wire } = await exchange(stage, get(), ok.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
        check((await serves(stage)).wire !== wire, 'used again');
      },
    },
    {
      id: 'answer-chunk-extensions',
      title: 'Chunk extensions do not reach the client',
      run: async (stage) => {
        const sent = `${http('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5;name=value\r\nhello\r\n0\r\n\r\n`;
        const { answer, client } = await exchange(stage, get(), sent);
        check(answer.body === 'hello', `the body is '${answer.body}'`);
        check(!client.received.includes('name'), 'passed on');
      },
    },
  ],
};
