import { describe, expect, test } from 'vitest';
import { createPool } from '../../src/index.ts';
import { thrownBy } from '../fixtures/core.ts';

describe("a pool's proxyProtocol", () => {
  const of = (proxyProtocol: never): unknown => createPool({ name: 'p', proxyProtocol }).proxyProtocol;

  test('is none by default', () => {
    expect(createPool({ name: 'p' }).proxyProtocol).toBeUndefined();
  });

  for (const [spec, settings] of [
    ['v1', { version: 'v1', alpn: false, authority: false, tls: false, uniqueId: false, checksum: false }],
    ['v2', { version: 'v2', alpn: true, authority: true, tls: true, uniqueId: false, checksum: false }],
    [
      { version: 'v2', tlvs: { authority: false, uniqueId: true } },
      { version: 'v2', alpn: true, authority: false, tls: true, uniqueId: true, checksum: false },
    ],
    [{ version: 'v1', tlvs: null }, { version: 'v1' }],
  ] as const) {
    test(`may be ${JSON.stringify(spec)}`, () => {
      expect(of(spec as never)).toMatchObject(settings);
    });
  }

  for (const [spec, path, expected] of [
    ['v3', 'proxyProtocol', "'v1', 'v2' or an object with a version"],
    [true, 'proxyProtocol', "'v1', 'v2' or an object with a version"],
    [[], 'proxyProtocol', 'an object'],
    [{}, 'proxyProtocol.version', "'v1' or 'v2'"],
    [{ version: 2 }, 'proxyProtocol.version', "'v1' or 'v2'"],
    [{ version: 'v1', tlvs: { checksum: true } }, 'proxyProtocol.tlvs', "none, or a version of 'v2'"],
    [{ version: 'v2', tlvs: { alpn: 'h2' } }, 'proxyProtocol.tlvs.alpn', 'true or false'],
    [
      { version: 'v2', tlvs: { netns: true } },
      'proxyProtocol.tlvs.netns',
      'no such field; there are alpn, authority, tls, uniqueId, checksum',
    ],
  ] as const) {
    test(`is not ${JSON.stringify(spec)}`, () => {
      expect(thrownBy(() => of(spec as never))).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path, expected });
    });
  }

  test('stays the same object in an update that says the same, and that says nothing of it', () => {
    const pool = createPool({ name: 'p', proxyProtocol: 'v2' });
    const before = pool.proxyProtocol;
    pool.update({ proxyProtocol: { version: 'v2', tlvs: { alpn: true } } });
    expect(pool.proxyProtocol).toBe(before);
    pool.update({ enabled: false });
    expect(pool.proxyProtocol).toBe(before);
    pool.update({ proxyProtocol: 'v1' });
    expect(pool.proxyProtocol).toMatchObject({ version: 'v1' });
    pool.update({ proxyProtocol: null });
    expect(pool.proxyProtocol).toBeUndefined();
  });
});
