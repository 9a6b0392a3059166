import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { VipSpec } from '../../src/index.ts';
import { HonestClients } from '../fixtures/node/http/honest-clients.ts';
import { Nginx } from '../fixtures/node/http/nginx.ts';
import { urlOf } from '../fixtures/node/http/node-client.ts';
import { noiseOf, sha1 } from '../fixtures/node/http/noise.ts';
import { VipProcess } from '../fixtures/node/http/vip-process.ts';
import { run } from '../fixtures/node/program.ts';
import { until } from '../fixtures/node/until.ts';

/*
 * Attacks that cost the attacker little and the attacked a connection each: slowhttptest's four modes, while others go on asking.
 * What they wait for their answers is printed, for whoever wants to compare; asserted is what holds on any machine.
 */

const mebi = 1024 * 1024;
const connections = 300;
/** Seconds for which slowhttptest goes on, unless all its connections are closed before that. */
const length = 15;

interface Attack {
  readonly options: readonly string[];
  /** What is asked for again and again. */
  readonly path: string;
  readonly timeouts?: VipSpec['timeouts'];
}

/** Attacks for a while; what has become of the virtual IP, and of the attacker's connections. */
async function attacked({ options, path, timeouts = {} }: Attack) {
  const small = noiseOf(2000);
  await using member = await Nginx.start({
    files: { small, medium: noiseOf(200_000), large: noiseOf(20 * mebi) },
    // A head with a thousand ranges has 14 KB.
    http: 'large_client_header_buffers 4 32k;',
    server: 'location /stored/ { dav_methods PUT; create_full_put_path on; }',
  });
  await using vip = await VipProcess.start({ timeouts, pool: { members: [member.spec] } });
  await using honest = new HonestClients(vip.place, { path: '/small', sha1: sha1(small) });
  await sleep(2000);
  const before = { waits: honest.mark(), ...(await vip.report()) };

  const bounds = ['-c', String(connections), '-r', '150', '-l', String(length), '-p', '5'];
  const url = urlOf(vip.place, path);
  const { output } = await run('slowhttptest', [...bounds, ...options, '-u', url]);
  const during = { waits: honest.mark(), ...(await vip.report()) };

  await until(async () => (await vip.report()).pool.activeConnections <= 8, 'the attacker is gone from the member');
  const answered = honest.answered + 100;
  await until(() => honest.answered >= answered, 'honest clients are answered after it');
  const after = honest.mark();
  await honest[Symbol.asyncDispose]();
  await until(async () => (await vip.report()).vip.activeConnections === 0, 'nobody is connected any more');
  const end = await vip.report();

  const growth = end.peakRss - before.peakRss;
  console.log(
    `slowhttptest ${options.join(' ')}: ${statusOf(output)}; ` +
      [
        `p99 before ${before.waits.percentile(99).toFixed(1)} ms`,
        `during ${during.waits.percentile(99).toFixed(1)} ms (at most ${during.waits.max.toFixed(1)})`,
        `after ${after.percentile(99).toFixed(1)} ms`,
        `${during.waits.count} honest answers during it`,
        `memory + ${(growth / mebi).toFixed(1)} MiB`,
      ].join(', '),
  );
  return { honest, growth, during, end, status: statusOf(output) };
}

/** The last of what slowhttptest says, in one line. */
function statusOf(output: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it colours what it says
  const plain = output.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '');
  const last = /Test ended on (\d+)th second\s+Exit status: (.*)/.exec(plain);
  return last === null ? plain.slice(-300) : `ended after ${last[1]} s, ${last[2]}`;
}

test('slow heads (-H, Slowloris): each gets 408 when its time is up', { timeout: 90_000 }, async () => {
  const { honest, growth, end, status } = await attacked({
    options: ['-H', '-i', '1', '-x', '24'],
    path: '/small',
    timeouts: { request: 2000 },
  });
  expect(honest.failures).toEqual([]);
  expect(status).toContain('No open connections left');
  expect(end.vip.timeouts.request).toBe(connections);
  expect(end.vip.responses4xx).toBe(connections);
  expect(growth).toBeLessThan(200 * mebi);
  expect(end.errors).toEqual([]);
});

test('slow bodies (-B, R-U-Dead-Yet): each gets 408 when it stays below the least rate', {
  timeout: 90_000,
}, async () => {
  const { honest, growth, end, status } = await attacked({
    options: ['-B', '-t', 'PUT', '-s', '8192', '-i', '1', '-x', '10'],
    path: '/stored/body',
  });
  expect(honest.failures).toEqual([]);
  expect(status).toContain('No open connections left');
  expect(end.vip.timeouts.body).toBe(connections);
  expect(growth).toBeLessThan(200 * mebi);
  expect(end.errors).toEqual([]);
});

test("a thousand ranges in one head (-R): what it costs is the member's to say", { timeout: 90_000 }, async () => {
  const { honest, growth, during, end, status } = await attacked({
    options: ['-R', '-t', 'GET', '-a', '5', '-b', '2000'],
    path: '/medium',
  });
  expect(honest.failures).toEqual([]);
  expect(status).toContain('No open connections left');
  expect(end.vip).toMatchObject({ responses4xx: 0, responses5xx: 0 });
  expect(end.vip.responses2xx).toBeGreaterThanOrEqual(connections + during.waits.count);
  expect(growth).toBeLessThan(200 * mebi);
  expect(end.errors).toEqual([]);
});

test('slow readers (-X): each is reset when it has taken nothing for a while', { timeout: 90_000 }, async () => {
  const { honest, growth, end } = await attacked({
    options: ['-X', '-w', '10', '-y', '20', '-n', '1', '-z', '32', '-k', '3'],
    path: '/large',
    // The system has room for more than a megabyte of an answer, so it takes long to see how slowly that is taken.
    timeouts: { client: 4000 },
  });
  expect(honest.failures).toEqual([]);
  // The attacker is too busy to notice. A few may have been given more room by the system, and last until it leaves.
  expect(end.vip.timeouts.reader).toBeGreaterThan(0.9 * connections);
  expect(growth).toBeLessThan(200 * mebi);
  expect(end.errors).toEqual([]);
});
