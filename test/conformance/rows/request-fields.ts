import { check } from '../failure.ts';
import { values } from '../message.ts';
import { exchange, get, ok, post } from '../plays.ts';
import type { Group, Row } from '../row.ts';

/** A field that is for this hop only. */
function dropped(id: string, what: string, name: string, ...sent: readonly string[]): Row {
  return {
    id,
    title: `${what} does not reach the member`,
    run: async (stage) => {
      const { request } = await exchange(stage, get(...sent));
      check(values(request.fields, name).length === 0, 'passed on');
    },
  };
}

const shuffled = ['X-One: 1', 'x-two: 2', 'X-One: 3', 'X-THREE: ', 'x-One: 4'];

export const requestFields: Group = {
  title: 'Fields of requests',
  rows: [
    dropped('request-named', 'A field that `Connection` names', 'x-secret', 'Connection: X-Secret', 'X-Secret: 1'),
    dropped(
      'request-named-oddly',
      'A field that a second `Connection` names among others, in odd case and spacing',
      'x-secret',
      'Connection: keep-alive',
      'X-Secret: 1',
      'connection: x-other,\t ,x-SECRET , x-more',
    ),
    dropped('request-te', '`TE: gzip`', 'te', 'TE: gzip'),
    dropped('request-keep-alive', '`Keep-Alive`', 'keep-alive', 'Keep-Alive: timeout=5'),
    dropped(
      'request-proxy-authorization',
      '`Proxy-Authorization`',
      'proxy-authorization',
      'Proxy-Authorization: Basic YQ==',
    ),
    dropped('request-proxy-connection', '`Proxy-Connection`', 'proxy-connection', 'Proxy-Connection: keep-alive'),
    dropped('request-upgrade-unnamed', '`Upgrade` that `Connection` does not name', 'upgrade', 'Upgrade: other/1'),
    {
      id: 'request-te-trailers',
      title: '`TE: trailers` reaches the member',
      run: async (stage) => {
        const { request } = await exchange(stage, get('TE: trailers', 'Connection: TE'));
        const te = values(request.fields, 'te').join();
        check(te === 'trailers', te === '' ? 'dropped' : `TE: ${te}`);
      },
    },
    {
      id: 'request-te-more',
      title: 'Of `TE: trailers, gzip` nothing reaches the member but `trailers`',
      run: async (stage) => {
        const { request } = await exchange(stage, get('TE: trailers, gzip'));
        const te = values(request.fields, 'te').join();
        check(te === '' || te === 'trailers', `TE: ${te}`);
      },
    },
    {
      id: 'request-named-host',
      title: '`Connection: Host` does not remove `Host`',
      run: async (stage) => {
        const { request } = await exchange(stage, get('Connection: Host'));
        check(values(request.fields, 'host').length === 1, 'removed');
      },
    },
    {
      id: 'request-named-length',
      title: '`Connection: Content-Length` does not unframe a body',
      run: async (stage) => {
        const { request } = await exchange(stage, `${post('Connection: Content-Length', 'Content-Length: 5')}hello`);
        check(request.body === 'hello', 'the body is not framed');
      },
    },
    {
      id: 'request-named-forwarded',
      title: '`Connection: X-Forwarded-For` does not remove the one that the proxy adds',
      needs: 'insertion',
      run: async (stage) => {
        const { request } = await exchange(stage, get('Connection: X-Forwarded-For, close'));
        check(values(request.fields, 'x-forwarded-for').length === 1, 'removed');
      },
    },
    {
      id: 'request-order',
      title: 'Order, case and duplicates of fields are kept',
      run: async (stage) => {
        const { request } = await exchange(stage, get(...shuffled));
        const arrived = request.fields.filter(([name]) => /^x-(?:one|two|three)$/i.test(name));
        const lines = arrived.map(([name, value]) => `${name}: ${value}`);
        check(lines.join('|') === shuffled.join('|'), `arrives as ${lines.join('; ')}`);
      },
    },
    {
      id: 'request-bytes',
      title: 'Bytes beyond ASCII in a value are kept',
      run: async (stage) => {
        const { request } = await exchange(stage, get('X-Name: caf\xe9 \xe2\x82\xac'), ok);
        const [value = ''] = values(request.fields, 'x-name');
        check(value === 'caf\xe9 \xe2\x82\xac', 'changed');
      },
    },
    {
      id: 'request-unknown-method',
      title: 'A method that nobody knows is passed on',
      run: async (stage) => {
        const { request } = await exchange(stage, get().replace('GET', 'FROBNICATE'));
        check(request.line.startsWith('FROBNICATE / '), `arrives as ${request.line}`);
      },
    },
  ],
};
