import { check } from '../failure.ts';
import { http, values } from '../message.ts';
import { exchange, get } from '../plays.ts';
import type { Group, Row } from '../row.ts';

function answerWith(...fields: readonly string[]): string {
  return `${http('HTTP/1.1 200 OK', ...fields, 'Content-Length: 2')}ok`;
}

/** A field that is for this hop only. What the proxy says for the next hop does not count. */
function dropped(id: string, what: string, name: string, ...sent: readonly string[]): Row {
  return {
    id,
    title: `${what} does not reach the client`,
    run: async (stage) => {
      const { answer } = await exchange(stage, get(), answerWith(...sent));
      const ofMember = values(answer.fields, name).filter((value) => value.includes('member'));
      check(ofMember.length === 0, 'passed on');
    },
  };
}

const shuffled = ['X-One: 1', 'x-two: 2', 'X-One: 3', 'X-THREE: ', 'x-One: 4'];
const cookies = ['a=1; Path=/', 'b=2; Expires=Wed, 21 Oct 2037 07:28:00 GMT', 'c=3'];

export const answerFields: Group = {
  title: 'Fields of answers',
  rows: [
    dropped('answer-named', 'A field that `Connection` names', 'x-hop', 'Connection: X-Hop', 'X-Hop: member'),
    dropped('answer-keep-alive', '`Keep-Alive` of the member', 'keep-alive', 'Keep-Alive: member=1'),
    dropped(
      'answer-proxy-authenticate',
      '`Proxy-Authenticate`',
      'proxy-authenticate',
      'Proxy-Authenticate: Basic realm="member"',
    ),
    dropped('answer-upgrade-offer', 'An offer to upgrade', 'upgrade', 'Connection: Upgrade', 'Upgrade: member/2'),
    {
      id: 'answer-named-length',
      title: '`Connection: Content-Length` does not unframe an answer',
      run: async (stage) => {
        const { answer, client } = await exchange(stage, get(), answerWith('Connection: Content-Length'));
        check(answer.body === 'ok' && client.unread === '', 'the body is not framed');
      },
    },
    {
      id: 'answer-order',
      title: 'Order, case and duplicates of fields are kept',
      run: async (stage) => {
        const { answer } = await exchange(stage, get(), answerWith(...shuffled));
        const arrived = answer.fields.filter(([name]) => /^x-(?:one|two|three)$/i.test(name));
        const lines = arrived.map(([name, value]) => `${name}: ${value}`);
        check(lines.join('|') === shuffled.join('|'), `arrives as ${lines.join('; ')}`);
      },
    },
    {
      id: 'answer-cookies',
      title: 'Each `Set-Cookie` stays a field of its own',
      run: async (stage) => {
        const { answer } = await exchange(
          stage,
          get(),
          answerWith(...cookies.map((cookie) => `Set-Cookie: ${cookie}`)),
        );
        check(values(answer.fields, 'set-cookie').join('|') === cookies.join('|'), 'changed');
      },
    },
    {
      id: 'answer-bytes',
      title: 'Bytes beyond ASCII in a value are kept',
      run: async (stage) => {
        const { answer } = await exchange(stage, get(), answerWith('X-Name: caf\xe9 \xe2\x82\xac'));
        check(values(answer.fields, 'x-name').join() === 'caf\xe9 \xe2\x82\xac', 'changed');
      },
    },
  ],
};
