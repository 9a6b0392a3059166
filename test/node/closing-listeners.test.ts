import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { VipSpec } from '../../src/index.ts';
import { Backend, echoes } from '../fixtures/node/backend.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { soon } from '../fixtures/node/until.ts';

const header = 'PROXY TCP4 192.0.2.7 198.51.100.9 40000 80\r\n';
const acceptProxyProtocol = { trustedCidrs: ['127.0.0.1'] };

interface Kind {
  readonly name: string;
  readonly settings: Partial<VipSpec>;
  readonly says: string;
}

const kinds: readonly Kind[] = [
  { name: 'a client', settings: { connectionLimit: 1 }, says: 'anybody?' },
  { name: 'a proxied client', settings: { connectionLimit: 1, acceptProxyProtocol }, says: `${header}anybody?` },
];

test.each(kinds)('a listener that is closed in an event of $name does not serve it', async ({ settings, says }) => {
  await using backend = await Backend.start({ does: echoes });
  await using scene = await Scene.open({ members: [backend.at] }, settings);
  const closed = new Promise<void>((resolve, reject) => {
    scene.vip.once('status', () => scene.listener.close().then(resolve, reject));
  });
  let received = '';
  const client = connect(scene.place as { host: string; port: number });
  const left = new Promise((resolve) => client.once('close', resolve));
  client.on('error', () => {});
  client.on('data', (bytes) => (received += bytes));
  client.write(says);
  await soon(closed, 'the listener is closed');
  await soon(left, 'the client is let go');
  expect(received).toBe('');
  await scene.isAtRest();
});
