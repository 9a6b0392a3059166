import { describe, expect, test } from 'vitest';
import { Backend, echoes } from '../../fixtures/node/backend.ts';
import { Client } from '../../fixtures/node/client.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { tlv, version2 } from '../../proxy-protocol/wire.ts';

const trusting = { acceptProxyProtocol: { trustedCidrs: ['127.0.0.0/8'] } };

const line = 'PROXY TCP4 192.0.2.7 198.51.100.9 40000 443\r\n';
const binary = latin1(version2('21 11', 'c0000207 c6336409 9c40 01bb', tlv(2, 'a.example')));
const local = latin1(version2('20 00'));

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function send(client: Client, bytes: string): void {
  client.socket.write(bytes, 'latin1');
}

describe('a connection that begins with a PROXY header', () => {
  for (const [name, header] of [
    ['version 1', line],
    ['version 2', binary],
    ['LOCAL', local],
    ['UNKNOWN', 'PROXY UNKNOWN\r\n'],
  ] as const) {
    test(`of ${name} is served, and the header is not part of it`, async () => {
      await using backend = await Backend.start({ does: echoes });
      await using scene = await Scene.open({ members: [backend.at] }, trusting);
      using client = await Client.connect(scene.place);
      send(client, `${header}hello`);
      await client.receives('hello');
      await client.isEchoed('again');
      client.end();
      await client.ended();
      expect(client.received).toBe('helloagain');
      await scene.isAtRest();
    });
  }
});
