import { describe, expect, test } from 'vitest';
import { readHealthMonitor } from '../../src/health/monitor-spec.ts';
import { thrownBy } from '../fixtures/core.ts';

const cert = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const key = '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n';

describe('a monitor that speaks TLS', () => {
  for (const type of ['https', 'tls-hello'] as const) {
    const read = (fields: object): unknown => readHealthMonitor({ type, ...fields }, '');

    test(`${type} verifies nothing unless asked`, () => {
      expect(read({})).toMatchObject({ verify: false, ca: undefined, cert: undefined, key: undefined });
    });

    test(`${type} verifies where it is told whom to trust`, () => {
      expect(read({ ca: cert })).toMatchObject({ verify: true, ca: cert });
    });

    test(`${type} verifies with the authorities of the runtime where only that is asked`, () => {
      expect(read({ verify: true })).toMatchObject({ verify: true, ca: undefined });
    });

    test(`${type} keeps a certificate of its own, and a name`, () => {
      expect(read({ cert, key, serverName: 'a.example' })).toMatchObject({ cert, key, serverName: 'a.example' });
    });

    for (const [fields, message] of [
      [{ verify: 'yes' }, "verify: expected true or false, got 'yes'"],
      [{ verify: false, ca: cert }, 'verify: expected true, or no ca, which only says whom to trust, got false'],
      [{ ca: 'x' }, "ca: expected certificates in PEM, got '(a string of 1 characters, not shown)'"],
      [{ cert }, 'key: expected both a cert and its key, or neither, got undefined'],
      [{ key }, 'cert: expected both a cert and its key, or neither, got undefined'],
      [{ serverName: 'a b' }, "serverName: expected a host name of 1 to 253 characters, got 'a b'"],
      [
        { cert, key: 'hunter2' },
        "key: expected a private key in PEM that is not encrypted, got '(a string of 7 characters, not shown)'",
      ],
      [
        { cert, key: '-----BEGIN ENCRYPTED PRIVATE KEY-----' },
        "key: expected a private key in PEM that is not encrypted, got '(a string of 37 characters, not shown)'",
      ],
    ] as const) {
      test(`${type} refuses ${JSON.stringify(fields)}`, () => {
        expect(thrownBy(() => read(fields))).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', message });
      });
    }
  }

  for (const type of ['tcp', 'http', 'udp-connect', 'ping'] as const) {
    for (const field of ['verify', 'ca', 'cert', 'key', 'serverName', 'alpn'] as const) {
      test(`is none of type ${type}, where ${field} is refused`, () => {
        const value = { verify: true, ca: cert, cert, key, serverName: 'a.example', alpn: ['h2'] }[field];
        const error = thrownBy(() => readHealthMonitor({ type, [field]: value }, ''));
        expect(error).toMatchObject({ path: field, expected: "none, or a type of 'https' or 'tls-hello'" });
      });
    }
  }

  test('does not show a key that it refuses', () => {
    const error = thrownBy(() => readHealthMonitor({ type: 'tcp', key }, '')) as Error;
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain('PRIVATE');
  });

  test('of type tls-hello asks nothing of HTTP', () => {
    const error = thrownBy(() => readHealthMonitor({ type: 'tls-hello', urlPath: '/' }, ''));
    expect(error).toMatchObject({ path: 'urlPath', expected: "none, or a type of 'http' or 'https'" });
  });
});
