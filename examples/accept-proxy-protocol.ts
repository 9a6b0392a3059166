/**
 * A virtual IP behind a balancer that relays TCP. That one tells in a PROXY header whose each connection is; the member hears of the
 * client, not of the balancer. Whoever comes without a header, or from elsewhere, is turned away.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createRelay, type Server } from 'node:net';
import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

// A member that says whom it hears of.
const member = createServer(({ headers }, answer) => {
  answer.end(`${headers['x-forwarded-for']} came to port ${headers['x-forwarded-port']}`);
});

const vip = createVip({
  address: '127.0.0.1',
  port: 0,
  protocol: 'http',
  acceptProxyProtocol: { trustedCidrs: ['127.0.0.1/32', '::1'] },
  allowedCidrs: ['192.0.2.0/24'],
  insertHeaders: { 'X-Forwarded-For': true, 'X-Forwarded-Port': true },
  pool: { members: [`127.0.0.1:${await opened(member)}`] },
});
vip.on('rejected', ({ clientAddress, reason, detail = '' }) =>
  console.log('turned away:', clientAddress, reason, detail),
);
const listener = await listen(vip);
const { port } = listener.address as AddressInfo;

// The balancer in front: HAProxy with `send-proxy` does this, or nginx with `proxy_protocol on`. Its clients are made up here.
const clients = ['192.0.2.7', '203.0.113.9'];
const front = createRelay((client) => {
  const behind = connect(port, '127.0.0.1');
  behind.write(`PROXY TCP4 ${clients.shift()} 198.51.100.1 40000 443\r\n`);
  client.pipe(behind).pipe(client);
  for (const socket of [client, behind]) socket.on('error', () => client.destroy());
});
const frontPort = await opened(front);

console.log(
  'the member says:',
  await (await fetch(`http://127.0.0.1:${frontPort}`, { headers: { Connection: 'close' } })).text(),
);
for (const at of [frontPort, port]) await fetch(`http://127.0.0.1:${at}`).catch(() => console.log('no answer'));

await listener.close();
for (const server of [front, member]) server.close();

async function opened(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}
