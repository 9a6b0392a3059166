import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Nginx } from '../fixtures/node/http/nginx.ts';
import { urlOf } from '../fixtures/node/http/node-client.ts';
import { NodeMember } from '../fixtures/node/http/node-member.ts';
import { measured, noiseOf } from '../fixtures/node/http/noise.ts';
import { ownFolder } from '../fixtures/node/places.ts';
import { run } from '../fixtures/node/program.ts';
import { Scene } from '../fixtures/node/scene.ts';

/** Runs wrk for three seconds with 64 clients, none of which may have anything to complain of; how many answers there were. */
async function wrk(url: string, ...options: string[]): Promise<number> {
  const { code, output, errors } = await run('wrk', ['-t2', '-c64', '-d3s', '--latency', ...options, url]);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).not.toMatch(/socket errors|non-2xx/i);
  const lines = output.split('\n').filter((line) => /requests in|Requests\/sec|99%/.test(line));
  console.log(`wrk: ${lines.map((line) => line.trim()).join(', ')}`);
  return Number(/(\d+) requests in/.exec(output)?.[1]);
}

/** wrk hangs up when its time is over, with requests under way. */
async function isSettled(scene: Scene, answers: number): Promise<void> {
  await scene.isAtRest();
  const { stats } = scene.vip;
  expect(stats).toMatchObject({ connectFailures: 0, responses4xx: 0, responses5xx: 0, rejects: 0 });
  expect(stats.responses2xx).toBeGreaterThanOrEqual(answers);
  expect(stats.requests).toBeGreaterThanOrEqual(stats.responses2xx);
  expect(scene.troubles).toEqual([]);
}

test('small answers of two members', async () => {
  await using first = await NodeMember.start((_request, response) => response.end('hello'), 'first');
  await using second = await NodeMember.start((_request, response) => response.end('hello'), 'second');
  await using scene = await Scene.open({ members: [first.spec, second.spec] }, { protocol: 'http' });
  const answers = await wrk(urlOf(scene.place));
  expect(answers).toBeGreaterThan(1000);
  await isSettled(scene, answers);
  const [one = 0, two = 0] = scene.pool.members.map(({ stats }) => stats.requests);
  expect(Math.abs(one - two)).toBeLessThanOrEqual(1);
  expect(scene.vip.stats.totalConnections).toBeLessThanOrEqual(130);
  expect(scene.pool.stats.totalConnections).toBeLessThanOrEqual(130);
});

test('files of 64 KiB and compressed text of an nginx', async () => {
  await using nginx = await Nginx.start({
    files: { 'noise.bin': noiseOf(65_536), 'text.txt': 'the same over and over, '.repeat(1000) },
    http: 'keepalive_requests 1000;',
    server: 'gzip on; gzip_types text/plain; gzip_min_length 1;',
  });
  for (const [path, ...options] of [['/noise.bin'], ['/text.txt', '-H', 'Accept-Encoding: gzip']]) {
    await using scene = await Scene.open({ members: [nginx.spec] }, { protocol: 'http' });
    const answers = await wrk(urlOf(scene.place, path), ...options);
    expect(answers).toBeGreaterThan(500);
    await isSettled(scene, answers);
  }
});

test('posts, each followed by the next before it is answered', async () => {
  await using member = await NodeMember.start(async (request, response) => {
    const { size } = await measured(request);
    if (size === Number(request.url?.slice(1))) response.end('as it should be');
    else response.writeHead(500).end();
  });
  await using folder = await ownFolder();
  const script = join(folder.path, 'pipeline.lua');
  await writeFile(script, pipeline);
  await using scene = await Scene.open({ members: [member.spec] }, { protocol: 'http' });
  const answers = await wrk(urlOf(scene.place), '-s', script);
  expect(answers).toBeGreaterThan(500);
  await isSettled(scene, answers);
});

/** Four requests in one write, with bodies of known length, in chunks, and none. */
const pipeline = `
init = function(args)
  local requests = {}
  requests[1] = wrk.format("POST", "/5", nil, "hello")
  requests[2] = wrk.format("POST", "/3000", nil, string.rep("x", 3000))
  requests[3] = "POST /9 HTTP/1.1\\r\\nHost: a.example\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n4\\r\\nwith\\r\\n5\\r\\nchunk\\r\\n0\\r\\n\\r\\n"
  requests[4] = wrk.format("GET", "/0")
  together = table.concat(requests)
end
request = function()
  return together
end
`;
