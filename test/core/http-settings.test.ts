import { describe, expect, test } from 'vitest';
import { Balancer } from '../../src/core/balancer.ts';
import { readBalancer } from '../../src/core/balancer-spec.ts';
import { createVip } from '../../src/core/create-vip.ts';
import type { HttpConfig } from '../../src/core/http-settings.ts';
import type { VipSettings, VipSpec } from '../../src/core/vip-spec.ts';
import type { VirtualIP } from '../../src/core/virtual-ip.ts';
import { plainErrorAnswer } from '../../src/http1/error-answer.ts';
import { insertedHeaders } from '../../src/http1/insert-headers.ts';
import { refusalOf } from '../fixtures/core.ts';

const web = (settings: VipSettings = {}): VirtualIP =>
  createVip({ address: '127.0.0.1', port: 80, protocol: 'http', ...settings, pool: {} });

/** Values that no type allows. */
const untyped = (fields: object): VipSettings => fields;

/** Settings as plain data. */
const plain = ({ http: { insertHeaders, trustedCidrs, limits, errorAnswer } }: { readonly http: HttpConfig }) => ({
  insertHeaders: [...insertHeaders],
  trustedCidrs: trustedCidrs.text,
  limits,
  errorAnswer,
});

const answer = () => ({ body: 'sorry' });

const defaultLimits = {
  headSize: 16_384,
  targetSize: 8192,
  headerCount: 101,
  trailerSize: 8192,
  chunkExtensionSize: 1024,
  minRate: 240,
};

const defaultTimeouts = {
  connect: 5000,
  client: 50_000,
  member: 50_000,
  request: 10_000,
  keepAlive: 60_000,
  tunnel: 3_600_000,
  hello: 10_000,
  handshake: 10_000,
};

const defaults = { insertHeaders: [], trustedCidrs: [], limits: defaultLimits, errorAnswer: plainErrorAnswer };

const timeoutExpected = 'milliseconds from 0 to 2147483647';
const onlyHttp = "nothing: only a virtual IP with protocol 'http' has it";

describe('an HTTP virtual IP', () => {
  test('has defaults', () => {
    expect([plain(web()), web().timeouts]).toEqual([defaults, defaultTimeouts]);
  });

  test('takes null for every default', () => {
    const nothing = { insertHeaders: null, trustedCidrs: null, limits: null, errorAnswer: null, timeouts: null };
    const vip = web(nothing);
    expect([plain(vip), vip.timeouts]).toEqual([defaults, defaultTimeouts]);
  });

  test('says so', () => {
    expect(web().protocol).toBe('http');
  });

  test("has what a 'tcp' one has", () => {
    const { connectionLimit, backlog, retries, allowedCidrs } = web({
      connectionLimit: 5,
      backlog: 6,
      retries: 7,
      allowedCidrs: ['10.0.0.0/8'],
    });
    expect([connectionLimit, backlog, retries, allowedCidrs]).toEqual([5, 6, 7, ['10.0.0.0/8']]);
  });
});

describe('insertHeaders', () => {
  const insertedBy = (insertHeaders: object): string[] =>
    [...web(untyped({ insertHeaders })).http.insertHeaders].sort();

  const ofCertificates = insertedHeaders.filter((name) => name.startsWith('X-SSL-'));

  test('may be all that there are but those that take tls', () => {
    const others = insertedHeaders.filter((name) => !ofCertificates.includes(name));
    const all = Object.fromEntries(others.map((name) => [name, true]));
    expect(insertedBy(all)).toEqual(others.sort());
  });

  test.each(ofCertificates)('may not be %s without tls', (name) => {
    const expected = 'nothing: only a virtual IP with tls has it';
    expect(refusalOf(() => web({ insertHeaders: { [name]: true } }))).toEqual({
      path: `insertHeaders.${name}`,
      value: true,
      expected,
    });
  });

  test('takes names in whatever case', () => {
    expect(insertedBy({ 'x-forwarded-for': true, VIA: true })).toEqual(['Via', 'X-Forwarded-For']);
  });

  test("takes Octavia's text for true and false", () => {
    expect(insertedBy({ 'X-Forwarded-For': 'true', 'X-Forwarded-Port': 'false' })).toEqual(['X-Forwarded-For']);
  });

  test('leaves out what is false, null or undefined', () => {
    expect(insertedBy({ Via: false, Forwarded: null, 'X-Request-Id': undefined })).toEqual([]);
  });

  test('may be empty', () => {
    expect(insertedBy({})).toEqual([]);
  });

  for (const [name, insertHeaders, path, value, expected] of [
    ['a name that there is not', { 'X-Real-IP': true }, '.X-Real-IP', true, `one of ${insertedHeaders.join(', ')}`],
    ['that name also where it is false', { Vai: false }, '.Vai', false, `one of ${insertedHeaders.join(', ')}`],
    ['text that is neither true nor false', { Via: 'yes' }, '.Via', 'yes', 'true or false'],
    ['a number', { via: 1 }, '.via', 1, 'true or false'],
    ['one name twice', { Via: true, via: false }, '.via', false, 'Via once, in whatever case'],
    ['text', 'Via', '', 'Via', "an object such as { 'X-Forwarded-For': true }"],
    ['true', true, '', true, "an object such as { 'X-Forwarded-For': true }"],
  ] as const) {
    test(`refuses ${name}`, () => {
      expect(refusalOf(() => web(untyped({ insertHeaders })))).toEqual({
        path: `insertHeaders${path}`,
        value,
        expected,
      });
    });
  }

  test('refuses a list', () => {
    expect(refusalOf(() => web(untyped({ insertHeaders: ['Via'] }))).path).toBe('insertHeaders');
  });
});

describe('trustedCidrs', () => {
  test('are kept as they are written', () => {
    expect(web({ trustedCidrs: ['10.0.0.0/8', '2001:DB8::/32'] }).http.trustedCidrs.text).toEqual([
      '10.0.0.0/8',
      '2001:DB8::/32',
    ]);
  });

  for (const [trustedCidrs, path, value, expected] of [
    ['10.0.0.0/8', '', '10.0.0.0/8', 'an array'],
    [['10.0.0.0/8', '10.0.0.0/33'], '[1]', '10.0.0.0/33', "a block such as '10.0.0.0/8' or '2001:db8::/32'"],
    [['proxy.example'], '[0]', 'proxy.example', "a block such as '10.0.0.0/8' or '2001:db8::/32'"],
    [[5], '[0]', 5, 'a string of 1 to 255 characters without control characters'],
  ] as const) {
    test(`refuse ${JSON.stringify(trustedCidrs)}`, () => {
      expect(refusalOf(() => web(untyped({ trustedCidrs })))).toEqual({ path: `trustedCidrs${path}`, value, expected });
    });
  }
});

describe('limits', () => {
  test('keep the defaults of what is not named, or null', () => {
    expect(web({ limits: { headerCount: 5, minRate: null } }).http.limits).toEqual({
      ...defaultLimits,
      headerCount: 5,
    });
  });

  for (const [field, least, most] of [
    ['headSize', 256, 1_048_576],
    ['targetSize', 64, 1_048_576],
    ['headerCount', 1, 10_000],
    ['trailerSize', 0, 1_048_576],
    ['chunkExtensionSize', 0, 1_048_576],
    ['minRate', 0, 2_147_483_647],
  ] as const) {
    test(`take a ${field} from ${least} to ${most}`, () => {
      const taken = [least, most].map((value) => web({ limits: { [field]: value } }).http.limits[field]);
      expect(taken).toEqual([least, most]);
    });

    test(`refuse a ${field} below, above, in between and of another type`, () => {
      const bad = [least - 1, most + 1, least + 0.5, String(least)];
      expect(bad.map((value) => refusalOf(() => web(untyped({ limits: { [field]: value } }))))).toEqual(
        bad.map((value) => ({ path: `limits.${field}`, value, expected: `an integer from ${least} to ${most}` })),
      );
    });
  }

  test('refuse one that there is not', () => {
    expect(refusalOf(() => web(untyped({ limits: { bodySize: 5 } })))).toEqual({
      path: 'limits.bodySize',
      value: 5,
      expected: 'no such field; there are headSize, targetSize, headerCount, trailerSize, chunkExtensionSize, minRate',
    });
  });

  test('refuse what is no object', () => {
    expect(refusalOf(() => web(untyped({ limits: 16_384 }))).path).toBe('limits');
  });

  test('cannot be changed behind its back', () => {
    expect([web(), web({ limits: { headerCount: 5 } })].map(({ http }) => Object.isFrozen(http.limits))).toEqual([
      true,
      true,
    ]);
  });
});

describe('errorAnswer', () => {
  test('may be any function', () => {
    expect(web({ errorAnswer: answer }).http.errorAnswer).toBe(answer);
  });

  for (const [name, value] of [
    ['text', 'sorry'],
    ['an answer', { body: 'sorry' }],
    ['true', true],
  ] as const) {
    test(`refuses ${name}`, () => {
      expect(refusalOf(() => web(untyped({ errorAnswer: value })))).toEqual({
        path: 'errorAnswer',
        value,
        expected: 'a function that makes an answer',
      });
    });
  }
});

describe("an HTTP virtual IP's timeouts", () => {
  for (const field of ['request', 'keepAlive', 'tunnel'] as const) {
    test(`take a ${field} from 0 to 2147483647`, () => {
      const taken = [0, 2_147_483_647].map((value) => web({ timeouts: { [field]: value } }).timeouts[field]);
      expect(taken).toEqual([0, 2_147_483_647]);
    });

    test(`refuse a ${field} below, above and of another type`, () => {
      const bad = [-1, 2_147_483_648, '10s'];
      expect(bad.map((value) => refusalOf(() => web(untyped({ timeouts: { [field]: value } }))))).toEqual(
        bad.map((value) => ({ path: `timeouts.${field}`, value, expected: timeoutExpected })),
      );
    });
  }
});

describe("an update of an HTTP virtual IP's settings", () => {
  const set = (): VirtualIP =>
    web({
      insertHeaders: { Via: true },
      trustedCidrs: ['10.0.0.0/8'],
      limits: { headSize: 1000, minRate: 0 },
      errorAnswer: answer,
      timeouts: { request: 1, keepAlive: 2, tunnel: 3 },
    });
  const before = plain(set());

  for (const [name, change, after] of [
    ['insertHeaders', { insertHeaders: { Forwarded: true } }, { insertHeaders: ['Forwarded'] }],
    ['trustedCidrs', { trustedCidrs: ['::/0'] }, { trustedCidrs: ['::/0'] }],
    ['trustedCidrs to none', { trustedCidrs: [] }, { trustedCidrs: [] }],
    ['one limit', { limits: { headSize: 2000 } }, { limits: { ...defaultLimits, headSize: 2000, minRate: 0 } }],
    ['errorAnswer', { errorAnswer: plainErrorAnswer }, { errorAnswer: plainErrorAnswer }],
    ['insertHeaders to the default', { insertHeaders: null }, { insertHeaders: [] }],
    ['trustedCidrs to the default', { trustedCidrs: null }, { trustedCidrs: [] }],
    ['limits to the defaults', { limits: null }, { limits: defaultLimits }],
    ['one limit to the default', { limits: { headSize: null } }, { limits: { ...defaultLimits, minRate: 0 } }],
    ['errorAnswer to the default', { errorAnswer: null }, { errorAnswer: plainErrorAnswer }],
  ] as const satisfies readonly (readonly [string, VipSettings, object])[]) {
    test(`changes ${name} and keeps the rest`, () => {
      const vip = set();
      vip.update(change);
      expect([plain(vip), vip.timeouts]).toEqual([{ ...before, ...after }, set().timeouts]);
    });
  }

  test('changes one timeout and keeps the rest', () => {
    const vip = set();
    vip.update({ timeouts: { keepAlive: 9 } });
    expect([vip.timeouts, plain(vip)]).toEqual([{ ...defaultTimeouts, request: 1, keepAlive: 9, tunnel: 3 }, before]);
  });

  test('changes timeouts to the defaults, one or all', () => {
    const vip = set();
    vip.update({ timeouts: { tunnel: null } });
    const one = vip.timeouts;
    vip.update({ timeouts: null });
    expect([one, vip.timeouts]).toEqual([{ ...defaultTimeouts, request: 1, keepAlive: 2 }, defaultTimeouts]);
  });

  test('that speaks of something else leaves them the same object', () => {
    const vip = set();
    const { http } = vip;
    vip.update({ retries: 9, timeouts: { request: 5 } });
    expect(vip.http).toBe(http);
  });

  test('that changes one makes another object, and leaves that as it was', () => {
    const vip = set();
    const { http } = vip;
    vip.update({ limits: { headSize: 2000 } });
    expect([vip.http === http, http.limits.headSize, vip.http.limits.headSize]).toEqual([false, 1000, 2000]);
  });

  for (const [path, change] of [
    ['insertHeaders.Via', { insertHeaders: { Via: 'maybe' } }],
    ['trustedCidrs[0]', { trustedCidrs: ['nowhere'] }],
    ['limits.headSize', { limits: { minRate: 5, headSize: 1 } }],
    ['errorAnswer', { errorAnswer: 'sorry' }],
    ['timeouts.tunnel', { timeouts: { request: 77, tunnel: -1 } }],
  ] as const) {
    test(`with a bad ${path} changes nothing`, () => {
      const vip = set();
      const good = { retries: 9, insertHeaders: {}, trustedCidrs: [], limits: null, errorAnswer: null, timeouts: null };
      const refused = refusalOf(() => vip.update(untyped({ ...good, ...change })));
      expect([refused.path, vip.retries, plain(vip), vip.timeouts]).toEqual([path, 3, before, set().timeouts]);
    });
  }

  test('cannot name another protocol', () => {
    expect(refusalOf(() => set().update(untyped({ protocol: 'tcp' }))).path).toBe('protocol');
  });
});

describe("a virtual IP with protocol 'tcp' refuses", () => {
  const tcp = (settings: object): VipSpec => ({ address: '127.0.0.1', port: 80, pool: {}, ...settings });

  for (const [path, value, settings] of [
    ['insertHeaders', {}, { insertHeaders: {} }],
    ['trustedCidrs', [], { trustedCidrs: [] }],
    ['limits', {}, { limits: {} }],
    ['errorAnswer', answer, { errorAnswer: answer }],
    ['timeouts.request', 10_000, { timeouts: { request: 10_000 } }],
    ['timeouts.keepAlive', 0, { timeouts: { keepAlive: 0 } }],
    ['timeouts.tunnel', 5, { timeouts: { connect: 5, tunnel: 5 } }],
  ] as const satisfies readonly (readonly [string, unknown, VipSettings])[]) {
    test(`${path}, however it is given`, () => {
      const state = { vips: [tcp({ name: 'a', port: 0 }), tcp({ name: 'b', ...settings })] };
      const refused = [
        () => createVip(tcp({ protocol: 'tcp', ...settings })),
        () => createVip(tcp(settings)),
        () => createVip(tcp({})).update(settings),
        () => new Balancer().createVip(tcp(settings)),
        () => readBalancer(state),
      ].map(refusalOf);
      const here = { path, value, expected: onlyHttp };
      expect(refused).toEqual([here, here, here, here, { ...here, path: `vips[1].${path}` }]);
    });
  }

  test('none of it where it is null', () => {
    const timeouts = { request: null, keepAlive: null, tunnel: null };
    const nothing = { insertHeaders: null, trustedCidrs: null, limits: null, errorAnswer: null, timeouts };
    const vip = createVip(tcp(nothing));
    vip.update(nothing);
    expect([plain(vip), vip.timeouts]).toEqual([defaults, defaultTimeouts]);
  });
});
