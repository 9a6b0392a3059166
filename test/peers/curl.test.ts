import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Nginx } from '../fixtures/node/http/nginx.ts';
import { urlOf } from '../fixtures/node/http/node-client.ts';
import { NodeMember } from '../fixtures/node/http/node-member.ts';
import { measured, noiseOf, sha1 } from '../fixtures/node/http/noise.ts';
import { ownFolder } from '../fixtures/node/places.ts';
import { run } from '../fixtures/node/program.ts';
import { Scene } from '../fixtures/node/scene.ts';

const mebi = 1024 * 1024;

/** Runs curl, which must be content; its output is one character a byte. */
async function curl(...args: string[]): Promise<{ output: string; told: string }> {
  const { code, output, errors } = await run('curl', ['--silent', '--show-error', '--max-time', '30', ...args]);
  if (code !== 0) throw new Error(`curl ended with ${code}: ${errors}`);
  return { output, told: errors };
}

/** Tells what it was asked, and how. */
function tells(): Promise<NodeMember> {
  return NodeMember.start(async (request, response) => {
    const { method, url, headers } = request;
    const { size, sha1 } = await measured(request);
    const { 'content-length': length, 'transfer-encoding': coding, expect } = headers;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ method, url, size, sha1, length, coding, expect, headers }));
  });
}

function sceneOf(...members: { readonly spec: { id: string; address: string; port: number } }[]): Promise<Scene> {
  return Scene.open({ members: members.map(({ spec }) => spec) }, { protocol: 'http' });
}

test('GET, HEAD, POST, DELETE and OPTIONS', async () => {
  await using member = await tells();
  await using scene = await sceneOf(member);
  const url = urlOf(scene.place, '/path?q=1');
  expect(JSON.parse((await curl(url)).output)).toMatchObject({ method: 'GET', url: '/path?q=1', size: 0 });
  const head = await curl('--head', url);
  expect(head.output).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(head.output).toMatch(/\r\n\r\n$/);
  const post = JSON.parse((await curl('--data', 'a=b&c=d', url)).output);
  expect(post).toMatchObject({ method: 'POST', size: 7, length: '7', sha1: sha1(Buffer.from('a=b&c=d')) });
  expect(post.headers['content-type']).toBe('application/x-www-form-urlencoded');
  expect(JSON.parse((await curl('-X', 'DELETE', url)).output)).toMatchObject({ method: 'DELETE' });
  const options = await curl('-X', 'OPTIONS', '--request-target', '*', url);
  expect(JSON.parse(options.output)).toMatchObject({ method: 'OPTIONS', url: '*' });
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: 5, responses2xx: 5, requestErrors: 0 });
});

test('a form with a file', async () => {
  await using folder = await ownFolder();
  await using member = await tells();
  await using scene = await sceneOf(member);
  const file = join(folder.path, 'noise.bin');
  await writeFile(file, noiseOf(2 * mebi));
  const { output } = await curl('--form', 'name=value', '--form', `file=@${file}`, urlOf(scene.place));
  const { size, length, headers } = JSON.parse(output);
  expect(size).toBeGreaterThan(2 * mebi);
  expect(length).toBe(String(size));
  expect(headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
});

test.each([
  ['with its length', [], { length: String(10 * mebi) }],
  ['in chunks', ['--header', 'Transfer-Encoding: chunked'], { coding: 'chunked' }],
])('an upload of 10 MiB %s', async (_how, options, framing) => {
  await using folder = await ownFolder();
  await using member = await tells();
  await using scene = await sceneOf(member);
  const file = join(folder.path, 'noise.bin');
  const noise = noiseOf(10 * mebi);
  await writeFile(file, noise);
  const { output, told } = await curl('--verbose', ...options, '--upload-file', file, urlOf(scene.place, '/upload'));
  // curl asks for it by itself with uploads of more than a mebibyte.
  expect(told).toContain('< HTTP/1.1 100 Continue');
  const expected = { method: 'PUT', size: noise.length, sha1: sha1(noise), expect: '100-continue', ...framing };
  expect(JSON.parse(output)).toMatchObject(expected);
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: 1, responses1xx: 1, responses2xx: 1 });
});

test('an expectation that is refused keeps the upload at home', async () => {
  await using folder = await ownFolder();
  const server = createServer();
  server.on('checkContinue', (_request, response) => {
    response.writeHead(413, { Connection: 'close' }).end('too large');
  });
  await using member = await NodeMember.start(server);
  await using scene = await sceneOf(member);
  const file = join(folder.path, 'noise.bin');
  await writeFile(file, noiseOf(10 * mebi));
  const url = urlOf(scene.place);
  const { output } = await curl(
    '--expect100-timeout',
    '20',
    '--upload-file',
    file,
    '-w',
    ' %{http_code} %{size_upload}',
    url,
  );
  expect(output).toBe('too large 413 0');
  await scene.isAtRest();
  expect(scene.vip.stats.bytesIn).toBeLessThan(1000);
});

test('HTTP/1.0, with Host and without', async () => {
  await using member = await NodeMember.start((request, response) => {
    response.write('in two ');
    response.end(`pieces for ${request.headers.host}, HTTP/${request.httpVersion}`);
  });
  await using scene = await sceneOf(member);
  const url = urlOf(scene.place);
  const host = url.slice('http://'.length, -1);
  const plain = await curl('--http1.0', '--include', url);
  expect(plain.output).toContain('Connection: close\r\n');
  expect(plain.output).not.toMatch(/transfer-encoding/i);
  expect(plain.output).toMatch(new RegExp(`\r\n\r\nin two pieces for ${host}, HTTP/1.1$`));
  const bare = await curl('--http1.0', '--header', 'Host:', url);
  expect(bare.output).toBe(`in two pieces for ${host}, HTTP/1.1`);
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: 2, responses2xx: 2, abortedRequests: 0 });
});

test('ranges, one and several, and a download that goes on where it stopped', async () => {
  await using folder = await ownFolder();
  const noise = noiseOf(mebi);
  await using nginx = await Nginx.start({ files: { 'noise.bin': noise } });
  await using scene = await sceneOf(nginx);
  const url = urlOf(scene.place, '/noise.bin');
  const bytes = (output: string): Buffer => Buffer.from(output, 'latin1');
  expect(bytes((await curl('--range', '0-0', url)).output)).toEqual(noise.subarray(0, 1));
  expect(bytes((await curl('--range', '1000-99999', url)).output)).toEqual(noise.subarray(1000, 100_000));
  expect(bytes((await curl('--range', '-500', url)).output)).toEqual(noise.subarray(-500));
  const several = await curl('--include', '--range', '0-1,10-12', url);
  expect(several.output).toMatch(/^HTTP\/1\.1 206 Partial Content\r\n/);
  expect(several.output).toContain('multipart/byteranges; boundary=');
  const part = join(folder.path, 'part.bin');
  await writeFile(part, noise.subarray(0, 300_000));
  await curl('--continue-at', '-', '--output', part, url);
  expect(sha1(await readFile(part))).toBe(sha1(noise));
  await scene.isAtRest();
});

test('--raw shows chunks as they are framed, and trailers behind them', async () => {
  await using member = await NodeMember.start((_request, response) => {
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write('hello');
    response.addTrailers({ 'X-Sum': 'abc' });
    response.end();
  });
  await using scene = await sceneOf(member);
  const { output } = await curl('--raw', '--include', '--header', 'TE: trailers', urlOf(scene.place));
  expect(output).toMatch(/\r\nTrailer: X-Sum\r\n/);
  expect(output).toMatch(/\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: abc\r\n\r\n$/);
});

test('several URLs over one connection', async () => {
  await using first = await tells();
  await using second = await tells();
  await using scene = await Scene.open(
    { members: [first.spec, { ...second.spec, id: 'other' }] },
    { protocol: 'http' },
  );
  const urls = Array.from({ length: 20 }, (_, index) => urlOf(scene.place, `/${index}`));
  const { output, told } = await curl('--verbose', '-w', '\n', ...urls);
  const targets = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).url);
  expect(targets).toEqual(urls.map((_, index) => `/${index}`));
  expect(told.match(/Re-using existing connection/g)).toHaveLength(19);
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ totalConnections: 1, requests: 20 });
  expect(scene.shares).toEqual({ app: 1, other: 1 });
});

test('a hundred at once, each with its own body', async () => {
  await using folder = await ownFolder();
  const noise = noiseOf(200_000);
  await using member = await NodeMember.start((request, response) => {
    const size = Number(request.url?.slice(1));
    response.end(noise.subarray(0, size));
  });
  await using scene = await sceneOf(member);
  const sizes = Array.from({ length: 100 }, (_, index) => index * 2000);
  const config = sizes.map((size) => `url = "${urlOf(scene.place, `/${size}`)}"\noutput = "${folder.path}/${size}"\n`);
  const file = join(folder.path, 'urls');
  await writeFile(file, config.join(''));
  await curl('--parallel', '--parallel-immediate', '--parallel-max', '100', '--config', file);
  const hashes = await Promise.all(sizes.map(async (size) => sha1(await readFile(join(folder.path, String(size))))));
  expect(hashes).toEqual(sizes.map((size) => sha1(noise.subarray(0, size))));
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: 100, responses2xx: 100 });
});

test('cookies, redirects and compression', async () => {
  const text = 'the same over and over, '.repeat(10_000);
  await using nginx = await Nginx.start({
    files: { 'text.txt': text },
    server: `
      absolute_redirect off;
      gzip on; gzip_types text/plain; gzip_min_length 1;
      location = /start { add_header Set-Cookie "a=1; Path=/"; add_header Set-Cookie "b=2"; return 302 /text.txt; }
      location = /cookies { return 200 $http_cookie; }`,
  });
  await using scene = await sceneOf(nginx);
  await using folder = await ownFolder();
  const jar = join(folder.path, 'jar');
  const { output } = await curl('--location', '--compressed', '--cookie-jar', jar, urlOf(scene.place, '/start'));
  expect(createHash('sha1').update(output).digest('hex')).toBe(sha1(Buffer.from(text)));
  const cookies = await curl('--cookie', jar, urlOf(scene.place, '/cookies'));
  expect(cookies.output.split('; ').sort()).toEqual(['a=1', 'b=2']);
});

test('a client that hangs up in the middle of a download frees the member', async () => {
  await using nginx = await Nginx.start({ files: { 'noise.bin': noiseOf(20 * mebi) } });
  await using scene = await sceneOf(nginx);
  const url = urlOf(scene.place, '/noise.bin');
  const args = ['--silent', '--limit-rate', '100k', '--max-time', '1', '--output', '/dev/null', url];
  const { code } = await run('curl', args);
  expect(code).toBe(28);
  await scene.isAtRest();
  expect(scene.vip.stats).toMatchObject({ requests: 1, abortedRequests: 1 });
});

test('no member: an answer of our own, in JSON for those who ask for it', async () => {
  await using scene = await Scene.open({ members: [] }, { protocol: 'http' });
  const { output } = await curl('-w', ' %{http_code}', '--header', 'Accept: application/json', urlOf(scene.place));
  expect(JSON.parse(output.slice(0, -4))).toMatchObject({ status: 503 });
  expect(output.slice(-3)).toBe('503');
});
