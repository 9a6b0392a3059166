import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

/** An example, and what its output must have. The demo, which takes longer, is run by `.ci/run`. */
const examples = {
  'quick-start': ['request 4: from the second', 'requests: 2 and 2'],
  http: [
    '200 a to 127.0.0.1, request ',
    '4 requests on 1 connection',
    'is error: answered 500, expected 200',
    '503 {"status":503,"reason":"no member is available"}',
    'requests by member: 3 and 2',
    'answers: 5 of 2xx, 1 of 5xx',
  ],
  websocket: [
    'three are open: a (online) has 2, b (online) has 1',
    'a heard hello',
    'a drains: a (draining) has 2, b (online) has 2',
    'a is drained, 0 were cut off: a (draining) has 0, b (online) has 2',
    'b heard goodbye',
  ],
  safeguards: [
    'c is out: ejected for 1 s: 3 consecutive failures',
    '30 requests: 3 503',
    'c is back on trial',
    'c has passed',
    'panic: all members serve',
    '1 ejection, 1 for failures in a row',
  ],
  'custom-strategy': ['call 2 uses cheap-key', 'call 3 uses spare-key', 'the next uses cheap-key'],
  'custom-probe': ['b is error: not ready (503)', 'b not ready: server a, server a, server a, server a', 'b is online'],
  'health-monitors': [
    'both are fine: 6 by a, 6 by b',
    'b wants half: 8 by a, 4 by b',
    'b is agent: drain: 12 by a',
    'b is the body does not match /"status":"UP"/: 12 by a',
    'b has shut its door: 12 by a',
    'b is error: 2 failures in a row',
  ],
  tls: [
    '1: shop.example over https, somebody, TLSv1.3',
    '2: blog.example over https, the employee',
    '3: shop.example over https, somebody, with the new certificate',
    '4: shop.example over https, somebody, still connected',
    '5: unsupported protocol',
    '3 handshakes, 0 resumed, 1 came to nothing',
  ],
  queueing: [
    'clients begin to wait',
    'the ninth: 503',
    'gave up, served, served, served, served, served, served, served',
    '5 waited and were served, 1 gave up, 1 refused, 2 at a time',
  ],
  'accept-proxy-protocol': [
    'the member says: 192.0.2.7 came to port 443',
    'turned away: 203.0.113.9 not-allowed',
    'turned away: 127.0.0.1 bad-proxy-header no PROXY header',
  ],
  'tls-to-members': [
    'the application, asked by balancer.internal',
    'the application, asked by balancer.internal again',
    "not asked: Hostname/IP does not match certificate's altnames: Host: app.internal. is not in the cert's altnames: DNS:elsewhere.example",
    "tls.key: expected the private key of the certificate (of another one), got '(not shown)'",
    'PROXY TCP4 127.0.0.7 127.0.0.1 …',
  ],
  'sni-routing': [
    'shop.example: shop.example (no protocol)',
    'shop.example: acme.example (acme-tls/1)',
    'a.blog.example: a.blog.example (http/1.1)',
    'elsewhere.example: default.example',
    'turned away: bad-client-hello no TLS record',
    'tls/shop.example 1, tls/*.blog.example 1, tls/shop.example/acme-tls/1 1',
  ],
  'client-limits': [
    '127.0.0.2 is refused: client-rate',
    'the hasty one gets 200, 200, 200, 429, 429',
    'another one gets 200',
    'told to come back in ',
    'then it gets 200, on 2 connections in all',
    'three connections at once get 200, 200, 429',
    'refused: 2 for the rate, 1 for connections',
  ],
  persistence: [
    'Ann: a saw no cookie (and a cookie) / a saw no cookie / a saw no cookie',
    'Bob: b saw no cookie (and a cookie) / b saw no cookie',
    'a drains, Ann: a saw no cookie / somebody new: c saw no cookie (and a cookie)',
    'a is disabled, Ann: b saw no cookie (and a cookie) / b saw no cookie',
    '5 were led back, 1 moved',
    '127.0.0.2 through both: x, x, x, x',
    '127.0.0.3 through both: y, y, y, y',
  ],
  balancer: ['hears: and goodbye', 'refused: vips[0].port: expected an integer from 0 to 65535, got 99999', '0 left'],
};

describe('the examples', () => {
  beforeAll(async () => {
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'examples'], { cwd: root });
  });

  test.for(Object.entries(examples))('%s runs by itself to its end', async ([name, expected]) => {
    const { stdout, stderr } = await run(process.execPath, [`.build/examples/${name}.js`], {
      cwd: root,
      timeout: 30_000,
    });
    for (const text of expected) expect(stdout).toContain(text);
    expect(stderr).toBe('');
  });
});
