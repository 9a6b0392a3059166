import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Consumer, root } from './consumer.ts';

let consumer: Consumer;

beforeAll(async () => {
  consumer = await Consumer.install();
});

afterAll(() => consumer?.[Symbol.asyncDispose]());

/** Serves one client through a virtual IP, and prints what the client got. */
const program = `
const server = createServer((socket) => socket.on('error', () => {}).end('served')).listen(0, '127.0.0.1', async () => {
  const vip = createVip({ address: '127.0.0.1', port: 0, pool: { members: ['127.0.0.1:' + server.address().port] } });
  const listener = await listen(vip);
  connect(listener.address.port, '127.0.0.1').on('data', (data) => console.log(String(data))).on('close', async () => {
    await listener.close();
    server.close();
  });
});
`;

describe('a consumer', () => {
  test('imports it from an ES module', async () => {
    const head = `
      import { connect, createServer } from 'node:net';
      import { createVip } from 'evenkeel';
      import { listen } from 'evenkeel/node';
    `;
    expect(await consumer.run('imports.mjs', head + program)).toEqual({ code: 0, stdout: 'served\n', stderr: '' });
  });

  test('requires it from CommonJS, without a warning', async () => {
    const head = `
      const { connect, createServer } = require('node:net');
      const { createVip } = require('evenkeel');
      const { listen } = require('evenkeel/node');
    `;
    expect(await consumer.run('requires.cjs', head + program)).toEqual({ code: 0, stdout: 'served\n', stderr: '' });
  });

  test('gets one and the same package, however it asks for it', async () => {
    const text = `
      const required = require('evenkeel');
      import('evenkeel').then((imported) => console.log(required.Balancer === imported.Balancer));
    `;
    expect(await consumer.run('both.cjs', text)).toEqual({ code: 0, stdout: 'true\n', stderr: '' });
  });

  test('has pools that are event emitters of the eventemitter3 that it may have itself', async () => {
    const text = `
      const EventEmitter = require('eventemitter3');
      const pool = require('evenkeel').createPool({ name: 'pool' });
      console.log(pool instanceof EventEmitter);
    `;
    expect(await consumer.run('emitter.cjs', text)).toEqual({ code: 0, stdout: 'true\n', stderr: '' });
  });

  test('loads the core without any part of Node that opens sockets, and nothing is left running', async () => {
    const text = `
      const before = new Set(process.moduleLoadList);
      const { createPool } = await import('evenkeel');
      createPool({ name: 'pool', members: ['10.0.0.1:80'], healthMonitor: { type: 'tcp' } }).acquire().release();
      const loaded = process.moduleLoadList.filter((name) => !before.has(name));
      const running = process.getActiveResourcesInfo().filter((name) => name !== 'CloseReq');
      console.log(loaded.filter((name) => /^NativeModule (net|dgram|tls|dns|http)$/.test(name)), running);
    `;
    expect(await consumer.run('core.mjs', text)).toEqual({ code: 0, stdout: '[] []\n', stderr: '' });
  });

  test.for(['evenkeel/dist/index.js', 'evenkeel/core/pool.js', 'evenkeel/node/index.js', 'evenkeel/src/index.ts'])(
    'cannot reach into it: %s',
    async (path) => {
      const text = `import('${path}').catch((error) => console.log(error.code));`;
      expect(await consumer.run('deep.mjs', text)).toEqual({
        code: 0,
        stdout: 'ERR_PACKAGE_PATH_NOT_EXPORTED\n',
        stderr: '',
      });
    },
  );

  test('can read its package.json', async () => {
    const text = `console.log(require('evenkeel/package.json').name);`;
    expect(await consumer.run('manifest.cjs', text)).toEqual({ code: 0, stdout: 'evenkeel\n', stderr: '' });
  });
});

describe('a consumer in TypeScript', () => {
  /** Nothing is let off: the package's declarations are checked as if they were the consumer's own. */
  const strictest = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    isolatedModules: true,
    noEmit: true,
    lib: ['es2022'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };

  const typed = `
    const strategy: Strategy<{ zone: string }> = {
      name: 'first',
      prepare: (members) => ({ pick: (request) => members.find((member) => request.accepts(member)) }),
    };
    export const vip = createVip<{ zone: string }>({
      address: '127.0.0.1',
      port: 0,
      pool: { strategy, members: [{ address: '10.0.0.1', port: 80, data: { zone: 'a' } }], healthMonitor: { type: 'tcp' } },
    });
    vip.pool.on('member-status', ({ member, to, reason }) => console.log(member.data?.zone, to === 'error', reason.length));
    export async function main(): Promise<number> {
      const listener = await listen(vip);
      await listener.close({ deadline: 0 });
      const all = await listen(new Balancer());
      all.on('error', (error) => console.log(error.code));
      await all.close();
      return vip.pool.stats.activeConnections;
    }
  `;

  test('compiles as an ES module', async () => {
    const text = `
      import { Balancer, createVip, type Strategy } from 'evenkeel';
      import { listen } from 'evenkeel/node';
      ${typed}
    `;
    const files = { 'main.mts': text };
    expect(await consumer.compile('esm', strictest, files)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('compiles as CommonJS', async () => {
    const text = `
      import { Balancer, createVip, type Strategy } from 'evenkeel';
      import { listen } from 'evenkeel/node';
      ${typed}
    `;
    const options = { ...strictest, module: 'nodenext' };
    expect(await consumer.compile('cjs', options, { 'main.cts': text })).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('compiles for a bundler', async () => {
    const text = `
      import { Balancer, createVip, type Strategy } from 'evenkeel';
      import { listen } from 'evenkeel/node';
      ${typed}
    `;
    const options = { ...strictest, module: 'esnext', moduleResolution: 'bundler' };
    expect(await consumer.compile('bundler', options, { 'main.ts': text })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('needs no types of Node for the core', async () => {
    const text = `
      import { createPool } from 'evenkeel';
      const lease = createPool<number>({ name: 'pool', members: [{ address: 'a', port: 1, data: 7 }] }).acquire();
      export const data: number | undefined = lease.refused ? undefined : lease.member.data;
    `;
    const options = { ...strictest, lib: ['es2022', 'esnext.disposable', 'dom'], types: [] };
    expect(await consumer.compile('core', options, { 'main.mts': text })).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('is told of a wrong spec', async () => {
    const text = `
      import { createVip } from 'evenkeel';
      createVip({ address: '127.0.0.1', port: 0, pool: { strategy: 'round-robbin' } });
    `;
    const { code, stdout } = await consumer.compile('wrong', strictest, { 'main.mts': text });
    expect(code).not.toBe(0);
    expect(stdout).toContain('round-robbin');
  });
});
