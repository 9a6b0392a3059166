import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Balancer } from '../../src/core/balancer.ts';
import { readBalancer } from '../../src/core/balancer-spec.ts';
import { createPool } from '../../src/core/create-pool.ts';
import { createVip } from '../../src/core/create-vip.ts';
import { SpecError } from '../../src/core/errors.ts';
import { defaultKeepAlive, keepAliveOver } from '../../src/core/keep-alive-spec.ts';
import { readMember, readMemberUpdate } from '../../src/core/member-spec.ts';
import type { PoolSpec } from '../../src/core/pool-spec.ts';
import { readPool, readPoolUpdate } from '../../src/core/pool-spec.ts';
import type { VipSpec } from '../../src/core/vip-spec.ts';
import { readVip, readVipUpdate } from '../../src/core/vip-spec.ts';
import { readHealthMonitor } from '../../src/health/monitor-spec.ts';
import { readInsertHeaders } from '../../src/http1/insert-headers.ts';
import { defaultLimits, limitsOver } from '../../src/http1/limits.ts';
import { strategyNames } from '../../src/strategies/built-in.ts';
import { roundRobin } from '../../src/strategies/round-robin.ts';
import { refusalOf, spec, thrownBy } from '../fixtures/core.ts';

const member = (fields: object): unknown => ({ address: '10.0.0.1', port: 80, ...fields });
const monitor = (fields: object): unknown => ({ type: 'tcp', ...fields });
const vip = (fields: object): unknown => ({ address: '127.0.0.1', port: 80, pool: {}, ...fields });

const nameExpected = 'a string of 1 to 255 characters without control characters';
const weightExpected = 'an integer from 0 to 256';
const names = strategyNames.map((each) => `'${each}'`).join(', ');
const strategyExpected = `one of ${names}, or a strategy (an object with a name and a prepare function)`;
const portExpected = 'an integer from 1 to 65535';
const addressExpected = "an IP address without brackets, a host name, or 'unix:' and a path";
const limitExpected = 'an integer from 1 to 2147483647';
const booleanExpected = 'true or false';
const delayExpected = 'milliseconds from 1 to 2147483647';
const timeoutExpected = 'milliseconds from 0 to 2147483647';
const timesExpected = 'an integer from 1 to 10';
const cidrExpected = "a block such as '10.0.0.0/8' or '2001:db8::/32'";

type Row = readonly [path: string, value: unknown, expected: string];

/** Each row: what is wrong, and what the error shall say. The path tells where the value goes. */
function refuses(read: (value: unknown) => unknown, make: (fields: object) => unknown, rows: readonly Row[]): void {
  for (const [path, value, expected] of rows) {
    test(`a ${path} of ${JSON.stringify(value) ?? String(value)}`, () => {
      expect(refusalOf(() => read(make({ [path]: value })))).toEqual({ path, value, expected });
    });
  }
}

describe('a member spec refuses', () => {
  refuses((value) => readMember(value, ''), member, [
    ['address', undefined, addressExpected],
    ['address', '', addressExpected],
    ['address', 5, addressExpected],
    ['address', '[::1]', addressExpected],
    ['address', '1.2.3', addressExpected],
    ['address', '256.1.1.1', addressExpected],
    ['address', 'a b', addressExpected],
    ['address', 'host\n', addressExpected],
    ['address', 'unix:', addressExpected],
    ['address', 'unix:/a\nb', addressExpected],
    ['address', 'fe80::1%eth0\r\nX: y', addressExpected],
    ['port', undefined, portExpected],
    ['port', 0, portExpected],
    ['port', 65_536, portExpected],
    ['port', 80.5, portExpected],
    ['port', '80', portExpected],
    ['id', '', nameExpected],
    ['id', 7, nameExpected],
    ['id', 'x'.repeat(256), nameExpected],
    ['id', 'a\0', nameExpected],
    ['id', 'a\u2028', nameExpected],
    ['id', 'a\u0085', nameExpected],
    ['weight', -1, weightExpected],
    ['weight', 257, weightExpected],
    ['weight', 1.5, weightExpected],
    ['weight', Number.NaN, weightExpected],
    ['weight', '5', weightExpected],
    ['backup', 1, booleanExpected],
    ['backup', 'true', booleanExpected],
    ['enabled', 0, booleanExpected],
    ['maxConnections', 0, limitExpected],
    ['maxConnections', 2 ** 31, limitExpected],
    ['maxConnections', Number.POSITIVE_INFINITY, limitExpected],
    [
      'wieght',
      5,
      'no such field; there are id, address, port, weight, priority, zone, backup, enabled, maxConnections, minConnections, maxPending, maxRequests, maxRetries, monitorAddress, monitorPort, agentPort, data',
    ],
  ]);

  test('a port beside a Unix socket', () => {
    expect(refusalOf(() => readMember({ address: 'unix:/run/a', port: 80 }, ''))).toEqual({
      path: 'port',
      value: 80,
      expected: 'no port beside the path of a Unix socket',
    });
  });

  for (const value of [null, undefined, 5, [], true]) {
    test(`${JSON.stringify(value)} in its place`, () => {
      expect(refusalOf(() => readMember(value, 'members[3]'))).toEqual({
        path: 'members[3]',
        value,
        expected: 'an object',
      });
    });
  }

  test('a short form that is none', () => {
    expect(refusalOf(() => readMember('10.0.0.1', 'members[0]'))).toEqual({
      path: 'members[0]',
      value: '10.0.0.1',
      expected: "'host:port', '[ipv6]:port', 'unix:/path' or a member object",
    });
  });

  test('a bad address in the short form', () => {
    expect(refusalOf(() => readMember('a b:80', 'members[0]'))).toEqual({
      path: 'members[0].address',
      value: 'a b',
      expected: addressExpected,
    });
  });

  test('a bad port in the short form', () => {
    expect(refusalOf(() => readMember('10.0.0.1:0', 'members[0]'))).toEqual({
      path: 'members[0].port',
      value: 0,
      expected: portExpected,
    });
  });
});

describe('a member spec takes', () => {
  test('the ends of every range', () => {
    const read = [0, 256].map(
      (weight) => readMember(member({ weight, maxConnections: 2 ** 31 - 1, port: 65_535 }), '').weight,
    );
    expect(read).toEqual([0, 256]);
  });

  test('null for every default', () => {
    const nothing = { id: null, weight: null, backup: null, enabled: null, maxConnections: null };
    expect(readMember(member(nothing), '')).toEqual(readMember('10.0.0.1:80', ''));
  });

  test('an id of 255 characters', () => {
    expect(readMember(member({ id: 'x'.repeat(255) }), '').id.length).toBe(255);
  });
});

describe('a monitor spec refuses', () => {
  const probeExpected =
    "'tcp', 'http', 'https', 'tls-hello', 'udp-connect', 'ping' or a probe (an object with a name and a check function)";
  refuses((value) => readHealthMonitor(value, ''), monitor, [
    ['type', undefined, probeExpected],
    ['type', 'udp', probeExpected],
    ['type', 'HTTP', probeExpected],
    ['type', null, probeExpected],
    ['type', { name: 'x' }, probeExpected],
    ['delay', 0, delayExpected],
    ['delay', 2 ** 31, delayExpected],
    ['delay', Number.NaN, delayExpected],
    ['delay', '5', delayExpected],
    ['timeout', 0, delayExpected],
    ['timeout', 0.5, delayExpected],
    ['fastDelay', 0, delayExpected],
    ['downDelay', '1s', delayExpected],
    ['jitter', -1, 'a percentage from 0 to 50'],
    ['jitter', 51, 'a percentage from 0 to 50'],
    ['maxRetries', 0, timesExpected],
    ['maxRetries', 11, timesExpected],
    ['maxRetriesDown', 0, timesExpected],
    ['maxRetriesDown', 2.5, timesExpected],
    ['initialHealth', 'sideways', "'up' or 'fully-up' or 'down' or 'fully-down'"],
    ['observe', 'layer4', "'connect' or 'request'"],
    ['errorLimit', 5, "none, or an observe of 'connect' or 'request'"],
    ['onError', 'mark-down', "none, or an observe of 'connect' or 'request'"],
    ['maxConcurrentChecks', 0, 'an integer from 1 to 65536'],
    [
      'interval',
      5,
      'no such field; there are type, delay, fastDelay, downDelay, jitter, timeout, maxRetries, maxRetriesDown, initialHealth, observe, errorLimit, onError, maxConcurrentChecks, proxyProtocol, ' +
        'httpMethod, urlPath, expectedCodes, httpVersion, domainName, expectBody, verify, ca, cert, key, serverName, alpn',
    ],
  ]);

  test('text in its place', () => {
    expect(refusalOf(() => readHealthMonitor('tcp', 'healthMonitor')).path).toBe('healthMonitor');
  });

  describe('of type http', () => {
    const pathExpected = "a path from '/' on, of visible ASCII characters without '#'";
    const codesExpected = "codes from 100 to 599: '200', '200,202' or one range, '200-204'";
    const methodsExpected =
      "'GET' or 'HEAD' or 'POST' or 'PUT' or 'DELETE' or 'TRACE' or 'OPTIONS' or 'CONNECT' or 'PATCH'";
    const domainExpected = 'a host name of 1 to 253 characters';
    refuses(
      (value) => readHealthMonitor(value, ''),
      (fields) => ({ type: 'http', httpVersion: 1.1, ...fields }),
      [
        ['httpMethod', 'get', methodsExpected],
        ['httpMethod', 'BREW', methodsExpected],
        ['httpMethod', 'GET /', methodsExpected],
        ['urlPath', '', pathExpected],
        ['urlPath', 'ready', pathExpected],
        ['urlPath', 'http://a.example/', pathExpected],
        ['urlPath', '/a b', pathExpected],
        ['urlPath', '/a\r\nX: y', pathExpected],
        ['urlPath', '/a\n', pathExpected],
        ['urlPath', '/\u007f', pathExpected],
        ['urlPath', '/ü', pathExpected],
        ['urlPath', '/a#b', pathExpected],
        ['urlPath', ['/'], pathExpected],
        ['expectedCodes', '', codesExpected],
        ['expectedCodes', 200, codesExpected],
        ['expectedCodes', '99', codesExpected],
        ['expectedCodes', '099', codesExpected],
        ['expectedCodes', '600', codesExpected],
        ['expectedCodes', '2xx', codesExpected],
        ['expectedCodes', '200,', codesExpected],
        ['expectedCodes', '200,\n202', codesExpected],
        ['expectedCodes', '200 202', codesExpected],
        ['expectedCodes', ' 200', codesExpected],
        ['expectedCodes', '204-200', codesExpected],
        ['expectedCodes', '200 - 204', codesExpected],
        ['expectedCodes', '200-204,301', codesExpected],
        ['expectedCodes', '200-600', codesExpected],
        ['httpVersion', 2, '1.0 or 1.1'],
        ['httpVersion', '1', '1.0 or 1.1'],
        ['httpVersion', 'HTTP/1.1', '1.0 or 1.1'],
        ['domainName', '', domainExpected],
        ['domainName', 'a b', domainExpected],
        ['domainName', 'a.example:80', domainExpected],
        ['domainName', 'a\r\nX: y', domainExpected],
        ['domainName', '10.0.0.1', domainExpected],
        ['domainName', `${'a23456789.'.repeat(25)}abcd`, domainExpected],
        ['domainName', 5, domainExpected],
      ],
    );

    for (const httpVersion of [null, 1, '1.0']) {
      test(`a domain name with an httpVersion of ${httpVersion}`, () => {
        const spec = { type: 'https', httpVersion, domainName: 'a.example' };
        expect(refusalOf(() => readHealthMonitor(spec, 'healthMonitor'))).toEqual({
          path: 'healthMonitor.domainName',
          value: 'a.example',
          expected: 'none, or an httpVersion of 1.1, which has a Host',
        });
      });
    }
  });

  for (const [field, value] of [
    ['httpMethod', 'GET'],
    ['urlPath', '/'],
    ['expectedCodes', '200'],
    ['httpVersion', 1.1],
    ['domainName', 'a.example'],
  ] as const) {
    for (const [name, type] of [
      ['tcp', 'tcp'],
      ["a probe of one's own", { name: 'own', check: async () => {} }],
    ] as const) {
      test(`the ${field} of a request with type ${name}`, () => {
        expect(refusalOf(() => readHealthMonitor({ type, [field]: value }, ''))).toEqual({
          path: field,
          value,
          expected: "none, or a type of 'http' or 'https'",
        });
      });
    }
  }
});

test('a monitor spec has defaults', () => {
  expect(readHealthMonitor({ type: 'tcp' }, '')).toEqual({
    type: 'tcp',
    delay: 2000,
    fastDelay: 2000,
    downDelay: 2000,
    jitter: 0,
    timeout: 2000,
    maxRetries: 2,
    maxRetriesDown: 3,
    initialHealth: 'up',
    errorLimit: 10,
    onError: 'fail-check',
    maxConcurrentChecks: 64,
  });
});

describe('a monitor spec of type http', () => {
  const nothing = { httpMethod: null, urlPath: null, expectedCodes: null, httpVersion: null, domainName: null };

  for (const type of ['http', 'https'] as const) {
    test(`has defaults, also as ${type}`, () => {
      expect(readHealthMonitor({ type }, '')).toEqual({
        type,
        delay: 2000,
        fastDelay: 2000,
        downDelay: 2000,
        jitter: 0,
        timeout: 2000,
        maxRetries: 2,
        maxRetriesDown: 3,
        initialHealth: 'up',
        errorLimit: 10,
        onError: 'fail-check',
        maxConcurrentChecks: 64,
        httpMethod: 'GET',
        urlPath: '/',
        expectedCodes: '200',
        httpVersion: 1,
        domainName: undefined,
        ...(type === 'https' ? { verify: false } : {}),
      });
    });
  }

  test('takes null for every default', () => {
    expect(readHealthMonitor({ type: 'http', ...nothing }, '')).toEqual(readHealthMonitor({ type: 'http' }, ''));
  });

  test('may be null throughout for a type that has none of it', () => {
    expect(readHealthMonitor({ type: 'tcp', ...nothing }, '')).toEqual(readHealthMonitor({ type: 'tcp' }, ''));
  });

  for (const [field, values] of [
    ['httpMethod', ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'OPTIONS', 'CONNECT', 'PATCH']],
    ['urlPath', ['/', '/a?b=c&d', "/!$%25'()*+,-./:;<=>?@[]^_`{|}~", '//']],
    ['expectedCodes', ['100', '599', '200,202', '200 ,  202', '200-204', '200-200']],
    ['domainName', ['a', 'a.example', 'xn--bcher-kva.example.', `${'a23456789.'.repeat(25)}abc`]],
  ] as const) {
    test(`keeps a ${field} as it is written`, () => {
      const read = values.map((value) => {
        const monitor: object = readHealthMonitor({ type: 'http', httpVersion: 1.1, [field]: value }, '');
        return (monitor as Record<string, unknown>)[field];
      });
      expect(read).toEqual(values);
    });
  }

  test('takes an httpVersion as a number or as text', () => {
    const read = [1.0, '1.0', 1.1, '1.1'].map((httpVersion) => {
      const monitor = readHealthMonitor({ type: 'http', httpVersion }, '');
      return monitor.type === 'http' ? monitor.httpVersion : undefined;
    });
    expect(read).toEqual([1, 1, 1.1, 1.1]);
  });
});

test("a monitor's timeout is its delay where it is not given", () => {
  expect(readHealthMonitor({ type: 'tcp', delay: 700 }, '').timeout).toBe(700);
});

describe('a pool spec refuses', () => {
  refuses(
    (value) => readPool(value, ''),
    (fields) => ({ name: 'pool', ...fields }),
    [
      ['name', undefined, nameExpected],
      ['name', '', nameExpected],
      ['name', 'a\nb', nameExpected],
      ['strategy', 'fastest', strategyExpected],
      ['strategy', 'toString', strategyExpected],
      ['strategy', { name: 'x' }, strategyExpected],
      ['strategy', 5, strategyExpected],
      ['members', {}, 'an array'],
      ['members', '10.0.0.1:80', 'an array'],
      ['enabled', 'no', booleanExpected],
      ['healthMonitor', 'tcp', 'an object'],
      [
        'algorithm',
        'x',
        'no such field; there are name, strategy, members, healthMonitor, agentCheck, persistence, queue, fullConnections, overprovisioningFactor, panic, outlierDetection, retryBudget, concurrencyLimit, classify, keepAlive, tls, proxyProtocol, enabled',
      ],
    ],
  );

  test('a bad member, by its place', () => {
    const members = ['10.0.0.1:80', { address: '10.0.0.2', port: 80, weight: 300 }];
    expect(refusalOf(() => createPool({ name: 'p', members }))).toEqual({
      path: 'members[1].weight',
      value: 300,
      expected: weightExpected,
    });
  });

  test('two members of one id', () => {
    expect(refusalOf(() => createPool({ name: 'p', members: [spec('a'), spec('b'), spec('a')] }))).toEqual({
      path: 'members[2].id',
      value: 'a',
      expected: 'another id than that of members[0]',
    });
  });

  test('two members of one address without ids', () => {
    expect(refusalOf(() => createPool({ name: 'p', members: ['10.0.0.1:80', '10.0.0.1:80'] })).path).toBe(
      'members[1].id',
    );
  });

  test('a hole in its members', () => {
    // biome-ignore lint/suspicious/noSparseArray: that is what is tested
    expect(refusalOf(() => createPool({ name: 'p', members: [, '10.0.0.1:80'] as unknown as string[] })).path).toBe(
      'members[0]',
    );
  });

  test('a bad monitor, by its path', () => {
    expect(refusalOf(() => createPool({ name: 'p', healthMonitor: { type: 'tcp', delay: 0 } })).path).toBe(
      'healthMonitor.delay',
    );
  });
});

describe('a virtual IP spec refuses', () => {
  const fieldNames =
    'name, address, port, protocol, pool, sniRouting, connectionLimit, backlog, allowedCidrs, acceptProxyProtocol, clientLimits, timeouts, retries, enabled, ' +
    'tls, insertHeaders, trustedCidrs, limits, errorAnswer';
  refuses((value) => readVip(value, ''), vip, [
    ['name', '', nameExpected],
    ['name', 'a\tb', nameExpected],
    ['address', undefined, addressExpected],
    ['address', '*', addressExpected],
    ['port', undefined, 'an integer from 0 to 65535'],
    ['port', -1, 'an integer from 0 to 65535'],
    ['port', 65_536, 'an integer from 0 to 65535'],
    ['protocol', 'sctp', "'tcp' or 'http'"],
    ['protocol', 'HTTP', "'tcp' or 'http'"],
    ['pool', undefined, 'an object'],
    ['pool', '', nameExpected],
    ['pool', 5, 'an object'],
    ['connectionLimit', 0, limitExpected],
    ['connectionLimit', -1, limitExpected],
    ['connectionLimit', '10', limitExpected],
    ['backlog', -1, 'an integer from 0 to 2147483647'],
    ['allowedCidrs', '10.0.0.0/8', 'an array'],
    ['timeouts', 5, 'an object'],
    ['retries', -1, 'an integer from 0 to 100'],
    ['retries', 101, 'an integer from 0 to 100'],
    ['enabled', 'yes', booleanExpected],
    ['listen', true, `no such field; there are ${fieldNames}`],
  ]);

  test('a block of addresses that is none, by its place', () => {
    expect(refusalOf(() => readVip(vip({ allowedCidrs: ['10.0.0.0/8', '10.0.0.0/33'] }), ''))).toEqual({
      path: 'allowedCidrs[1]',
      value: '10.0.0.0/33',
      expected: cidrExpected,
    });
  });

  for (const field of ['connect', 'client', 'member']) {
    test(`a timeout ${field} below 0`, () => {
      expect(refusalOf(() => readVip(vip({ timeouts: { [field]: -1 } }), ''))).toEqual({
        path: `timeouts.${field}`,
        value: -1,
        expected: timeoutExpected,
      });
    });
  }

  test('a timeout that there is not', () => {
    expect(refusalOf(() => readVip(vip({ timeouts: { idle: 5 } }), '')).path).toBe('timeouts.idle');
  });

  test('a bad member of its pool, by the whole path', () => {
    const pool = { members: ['10.0.0.1:80', { address: '10.0.0.2', port: 80, weight: -1 }] };
    expect(refusalOf(() => createVip({ address: '127.0.0.1', port: 80, pool })).path).toBe('pool.members[1].weight');
  });

  test("a pool's name where there is no balancer", () => {
    expect(refusalOf(() => createVip({ address: '127.0.0.1', port: 80, pool: 'web' }))).toEqual({
      path: 'pool',
      value: 'web',
      expected: 'a pool; only a virtual IP of a Balancer can name one',
    });
  });

  test('a port beside a Unix socket', () => {
    expect(refusalOf(() => readVip({ address: 'unix:/run/a', port: 80, pool: {} }, '')).path).toBe('port');
  });
});

describe('a virtual IP spec', () => {
  test('has defaults', () => {
    const { name, protocol, port, connectionLimit, backlog, allowedCidrs, timeouts, retries, enabled, pool } =
      createVip({
        address: '127.0.0.1',
        port: 8080,
        pool: {},
      });
    expect([
      name,
      protocol,
      port,
      connectionLimit,
      backlog,
      allowedCidrs,
      timeouts,
      retries,
      enabled,
      pool.name,
    ]).toEqual([
      '127.0.0.1:8080',
      'tcp',
      8080,
      undefined,
      1024,
      undefined,
      {
        connect: 5000,
        client: 50_000,
        member: 50_000,
        request: 10_000,
        keepAlive: 60_000,
        tunnel: 3_600_000,
        hello: 10_000,
        handshake: 10_000,
      },
      3,
      true,
      '127.0.0.1:8080',
    ]);
  });

  test('names its pool after itself', () => {
    expect(createVip({ name: 'web', address: '::', port: 0, pool: {} }).pool.name).toBe('web');
  });

  test('may name its pool otherwise', () => {
    expect(createVip({ name: 'web', address: '::', port: 0, pool: { name: 'backends' } }).pool.name).toBe('backends');
  });

  test('needs no port for a Unix socket', () => {
    expect(createVip({ address: 'unix:/run/web', pool: {} }).port).toBe(0);
  });
});

describe("a virtual IP's update", () => {
  const web = () => {
    return createVip({
      address: '127.0.0.1',
      port: 80,
      connectionLimit: 5,
      timeouts: { connect: 100 },
      allowedCidrs: ['10.0.0.0/8'],
      pool: {},
    });
  };

  test('changes what is named and keeps the rest', () => {
    const vip = web();
    vip.update({ timeouts: { client: 7 } });
    expect([vip.connectionLimit, vip.timeouts, vip.allowedCidrs]).toEqual([
      5,
      {
        connect: 100,
        client: 7,
        member: 50_000,
        request: 10_000,
        keepAlive: 60_000,
        tunnel: 3_600_000,
        hello: 10_000,
        handshake: 10_000,
      },
      ['10.0.0.0/8'],
    ]);
  });

  test('takes null for the default', () => {
    const vip = web();
    vip.update({ connectionLimit: null, timeouts: null, allowedCidrs: null });
    expect([vip.connectionLimit, vip.timeouts.connect, vip.allowedCidrs]).toEqual([undefined, 5000, undefined]);
  });

  test('takes null within timeouts for the default of that one', () => {
    const vip = web();
    vip.update({ timeouts: { connect: null } });
    expect(vip.timeouts.connect).toBe(5000);
  });

  test('with a bad value changes nothing', () => {
    const vip = web();
    const { path } = refusalOf(() => vip.update({ connectionLimit: 9, enabled: false, retries: 1.5 }));
    expect([path, vip.connectionLimit, vip.enabled]).toEqual(['retries', 5, true]);
  });

  test('cannot move it', () => {
    expect(refusalOf(() => web().update({ port: 81 } as object)).path).toBe('port');
  });
});

describe("a balancer's desired state refuses", () => {
  const web: VipSpec = { name: 'web', address: '127.0.0.1', port: 80, pool: 'a' };
  const a: PoolSpec = { name: 'a' };

  for (const [name, value, path] of [
    ['a field that there is not', { listeners: [] }, 'listeners'],
    ['pools that are no list', { pools: {} }, 'pools'],
    ['a pool without a name', { pools: [{}] }, 'pools[0].name'],
    ['two pools of one name', { pools: [a, a] }, 'pools[1].name'],
    ['two virtual IPs of one name', { pools: [a], vips: [web, { ...web, port: 81 }] }, 'vips[1].name'],
    ['a pool that it does not have', { vips: [web] }, 'vips[0].pool'],
    ['two virtual IPs on one address and port', { pools: [a], vips: [web, { ...web, name: 'x' }] }, 'vips[1].port'],
    [
      'two virtual IPs on one Unix socket',
      { pools: [a], vips: [1, 2].map((number) => ({ name: `v${number}`, address: 'unix:/run/a', pool: 'a' })) },
      'vips[1].address',
    ],
    [
      'an inline pool with the name of another',
      { pools: [a], vips: [{ ...web, pool: { name: 'a' } }] },
      'vips[0].pool.name',
    ],
    [
      'a bad member deep within',
      { vips: [{ ...web, pool: { members: [spec('x', { weight: 999 })] } }] },
      'vips[0].pool.members[0].weight',
    ],
    ['nothing at all', undefined, ''],
  ] as const) {
    test(name, () => {
      expect(refusalOf(() => readBalancer(value)).path).toBe(path);
    });
  }

  test('nothing of two virtual IPs on port 0', () => {
    const vips = ['x', 'y'].map((name) => ({ ...web, name, port: 0 }));
    expect(readBalancer({ pools: [a], vips }).vips.length).toBe(2);
  });
});

test("a balancer's name has no control characters", () => {
  expect(thrownBy(() => new Balancer({ name: 'a\nb' })) instanceof SpecError).toBe(true);
});

describe('whatever it is given, a reader answers with a config or a SpecError:', () => {
  const currentMember = readMember<unknown>('10.0.0.1:80', '');
  const currentPool = { ...readPool<unknown>({ name: 'pool' }, ''), strategy: roundRobin() };
  const currentVip = readVip(vip({}), '').settings;
  const currentHttpVip = readVip(vip({ protocol: 'http' }), '').settings;
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withTypedArray: true,
  });
  /** Mostly right, so that the reader gets beyond the first field. */
  const nearly = (fields: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> => {
    const model = Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        fc.oneof({ weight: 4, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: anything }),
      ]),
    );
    return fc.record(model, { requiredKeys: [] });
  };
  const memberFields = {
    id: 'a',
    address: '10.0.0.1',
    port: 80,
    weight: 1,
    backup: false,
    enabled: true,
    maxConnections: 1,
    data: 1,
  };
  const monitorFields = {
    type: 'http',
    delay: 1,
    fastDelay: 1,
    downDelay: 1,
    jitter: 0,
    timeout: 1,
    maxRetries: 1,
    maxRetriesDown: 1,
    initialHealth: 'up',
    maxConcurrentChecks: 1,
    httpMethod: 'GET',
    urlPath: '/',
    expectedCodes: '200',
    httpVersion: 1.1,
    domainName: 'a.example',
  };
  const poolFields = {
    name: 'a',
    strategy: 'random',
    members: ['10.0.0.1:80'],
    healthMonitor: monitorFields,
    keepAlive: { idleTimeout: 1, maxIdle: 1, maxAge: 1 },
    tls: {
      verify: true,
      ca: '-----BEGIN CERTIFICATE-----',
      serverName: 'a.example',
      passServerName: true,
      minVersion: 'TLSv1.2',
      ciphers: 'ALL',
      alpn: ['http/1.1'],
      resume: true,
    },
    proxyProtocol: { version: 'v2', tlvs: { alpn: true, uniqueId: true, checksum: true } },
    enabled: true,
  };
  const vipFields = {
    name: 'a',
    address: '::',
    port: 0,
    protocol: 'tcp',
    pool: poolFields,
    connectionLimit: 1,
    backlog: 1,
    allowedCidrs: ['::/0'],
    timeouts: { connect: 1 },
    retries: 1,
    enabled: true,
  };
  const httpSettings = {
    timeouts: { request: 1, keepAlive: 1, tunnel: 1 },
    insertHeaders: { Via: true },
    trustedCidrs: ['::/0'],
    limits: { headSize: 256, targetSize: 64, headerCount: 1, trailerSize: 0, chunkExtensionSize: 0, minRate: 0 },
    errorAnswer: () => ({}),
  };
  const httpVipFields = { ...vipFields, protocol: 'http', ...httpSettings };

  for (const [name, read, fields] of [
    ['member', (value: unknown) => readMember(value, ''), memberFields],
    ['member update', (value: unknown) => readMemberUpdate(value, currentMember), memberFields],
    ['monitor', (value: unknown) => readHealthMonitor(value, ''), monitorFields],
    ['pool', (value: unknown) => readPool(value, ''), poolFields],
    ['pool update', (value: unknown) => readPoolUpdate(value, currentPool), poolFields],
    ['virtual IP', (value: unknown) => readVip(value, ''), vipFields],
    ['virtual IP update', (value: unknown) => readVipUpdate(value, 'tcp', currentVip), vipFields],
    ['http virtual IP', (value: unknown) => readVip(value, ''), httpVipFields],
    ['http virtual IP update', (value: unknown) => readVipUpdate(value, 'http', currentHttpVip), httpSettings],
    ['insertHeaders', (value: unknown) => readInsertHeaders(value, ''), httpSettings.insertHeaders],
    ['limits', (value: unknown) => limitsOver(defaultLimits)(value, ''), httpSettings.limits],
    ['keepAlive', (value: unknown) => keepAliveOver(defaultKeepAlive)(value, ''), poolFields.keepAlive],
    ['balancer', (value: unknown) => readBalancer(value), { pools: [poolFields], vips: [vipFields, httpVipFields] }],
  ] as const) {
    test(name, () => {
      fc.assert(
        fc.property(fc.oneof(anything, nearly(fields)), (value) => {
          try {
            read(value);
          } catch (error) {
            if (!(error instanceof SpecError)) throw error;
          }
        }),
        { seed: 51, numRuns: 500 },
      );
    });
  }

  test('and a message of one line without control characters', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.dictionary(text, text), fc.oneof(text, fc.constant('a\nb')), (fields, id) => {
        try {
          readMember({ ...fields, id, address: id }, '');
        } catch (error) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
          expect(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test((error as Error).message)).toBe(false);
        }
      }),
      { seed: 52, numRuns: 500 },
    );
  });
});
