/**
 * Clients that stay with the member that has something of them in memory: browsers by a cookie, over HTTP; then, over TCP and
 * through two virtual IPs, players by their address, which a store of ours keeps for both.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { createVip, type Persistence } from 'evenkeel';
import { listen } from 'evenkeel/node';

const servers: (Server | HttpServer)[] = [];

/** A browser, as far as it matters here: it sends back the cookie that it was given last. */
class Browser {
  #cookie = '';

  async visit(port: number): Promise<string> {
    const headers = { cookie: this.#cookie, connection: 'close' };
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
    const [given] = answer.headers.getSetCookie();
    if (given !== undefined) this.#cookie = given.split(';')[0] ?? '';
    return `${await answer.text()}${given === undefined ? '' : ' (and a cookie)'}`;
  }
}

const shops = ['a', 'b', 'c'].map((id) => {
  return createServer((request, response) => response.end(`${id} saw ${request.headers.cookie ? 'a' : 'no'} cookie`));
});
const web = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  pool: {
    members: await Promise.all(
      shops.map(async (shop, index) => ({ id: 'abc'.charAt(index), ...(await opened(shop)) })),
    ),
    persistence: { type: 'http-cookie', secret: 'the same for all balancers' },
  },
});
const webListener = await listen(web);
const { port } = webListener.address as AddressInfo;

const ann = new Browser();
const bob = new Browser();
console.log('Ann:', await ann.visit(port), '/', await ann.visit(port), '/', await ann.visit(port));
console.log('Bob:', await bob.visit(port), '/', await bob.visit(port));

web.pool.get('a')?.update({ weight: 0 });
console.log('a drains, Ann:', await ann.visit(port), '/ somebody new:', await new Browser().visit(port));
web.pool.get('a')?.update({ enabled: false });
console.log('a is disabled, Ann:', await ann.visit(port), '/', await ann.visit(port));
const { kept, moved } = web.pool.persistenceStats ?? {};
console.log(`${kept} were led back, ${moved} moved`);

/** A store that all balancers share: a map here; Redis, say, in earnest. */
const store = new Map<string, string>();
const shared: Persistence = {
  name: 'shared',
  timeout: 200,
  start: () => ({
    find: async ({ clientAddress = '' }) => store.get(clientAddress),
    keep: async ({ clientAddress = '' }, { id }) => void store.set(clientAddress, id),
  }),
};
const hungUp = (): void => {};
const rooms = ['x', 'y'].map((id) => createTcpServer((socket) => socket.on('error', hungUp).end(id)));
const members = await Promise.all(
  rooms.map(async (room, index) => ({ id: 'xy'.charAt(index), ...(await opened(room)) })),
);
const game = () => createVip({ address: '127.0.0.1', port: 0, pool: { members, persistence: shared } });
const listeners = await Promise.all([listen(game()), listen(game())]);
for (const localAddress of ['127.0.0.2', '127.0.0.3']) {
  const met: string[] = [];
  for (const { address } of [...listeners, ...listeners])
    met.push(await heardAt((address as AddressInfo).port, localAddress));
  console.log(`${localAddress} through both: ${met.join(', ')}`);
}

for (const listener of [webListener, ...listeners]) await listener.close({ deadline: 0 });
for (const server of servers) server.close();

async function opened(server: Server | HttpServer): Promise<{ address: string; port: number }> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  servers.push(server);
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

async function heardAt(port: number, localAddress: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}
