import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SpecError } from '../../src/core/errors.ts';
import { readAlpn } from '../../src/tls/alpn.ts';
import { readServerNames, ServerNames } from '../../src/tls/server-names.ts';

interface Pool {
  readonly name: string;
}

/** Routes written as `names -> pool`, or `names [protocols] -> pool`. */
function routesOf(...lines: readonly string[]): ServerNames<Pool> {
  const routes = lines.map((line) => {
    const [, names = '', protocols, name = ''] = /^(.*?)(?: \[(.*)\])? -> (.*)$/.exec(line) ?? [];
    return {
      serverNames: readServerNames(names.split(' '), 'serverNames'),
      alpn: protocols === undefined ? undefined : readAlpn(protocols.split(' '), 'alpn'),
      target: { name },
    };
  });
  return new ServerNames(routes, 'sniRouting');
}

function errorOf(action: () => unknown): SpecError {
  try {
    action();
  } catch (error) {
    if (error instanceof SpecError) return error;
  }
  throw new Error('no SpecError');
}

describe('server names in a spec', () => {
  test('are read in lower case, without a dot at the end', () => {
    expect(readServerNames(['A.Example', '*.B.example', 'c.example.', '*.d.example.', 'localhost'], 'x')).toEqual([
      'a.example',
      '*.b.example',
      'c.example',
      '*.d.example',
      'localhost',
    ]);
  });

  for (const name of [
    '',
    '*',
    '*.',
    '*.*.example',
    'a.*.example',
    'w*.example',
    '*a.example',
    '.example',
    'a..example',
    'a.example..',
    '*.a.example..',
    'a.example:443',
    '192.0.2.1',
    '*.192.0.2.1',
    '2001:db8::1',
    'https://a.example',
    'ä.example',
    '-a.example',
    ' a.example',
    'a'.repeat(64),
    7,
    null,
  ]) {
    test(`${JSON.stringify(name)} is none`, () => {
      const error = errorOf(() => readServerNames(['a.example', name], 'sniRouting[0].serverNames'));
      expect(error.path).toBe('sniRouting[0].serverNames[1]');
      expect(error.value).toBe(name);
      expect(error.expected).toBe("a host name such as 'a.example', or '*.a.example' for the names right below it");
    });
  }

  test('are a list of one at least', () => {
    expect(errorOf(() => readServerNames([], 'names')).message).toBe(
      'names: expected one name at least, got an array of 0',
    );
    expect(errorOf(() => readServerNames('a.example', 'names')).expected).toBe('an array');
    expect(errorOf(() => readServerNames(undefined, 'names')).expected).toBe('an array');
  });

  test('do not come twice', () => {
    const error = errorOf(() => readServerNames(['b.example', 'a.example', 'A.example.'], 'names'));
    expect(error.message).toBe("names[2]: expected another name than names[1], got 'a.example'");
  });
});

describe('protocols in a spec', () => {
  test('are read as they are', () => {
    expect(readAlpn(['h2', 'http/1.1', 'acme-tls/1', 'H2', 'x'.repeat(255)], 'alpn')).toHaveLength(5);
  });

  for (const protocol of ['', 'a b', 'h2\n', 'ä', 'x'.repeat(256), 2]) {
    test(`${JSON.stringify(protocol).slice(0, 20)} is none`, () => {
      const error = errorOf(() => readAlpn(['h2', protocol], 'alpn'));
      expect([error.path, error.expected]).toEqual(['alpn[1]', "the name of a protocol such as 'h2' or 'http/1.1'"]);
    });
  }

  test('are a list of one at least, none twice', () => {
    expect(errorOf(() => readAlpn([], 'alpn')).expected).toBe('one protocol at least');
    expect(errorOf(() => readAlpn(['h2', 'h2'], 'alpn')).expected).toBe('another protocol than alpn[0]');
  });
});

describe('a server name leads', () => {
  const routes = routesOf('a.example *.b.example -> one', 'c.b.example *.example localhost -> two');

  for (const [name, pool] of [
    ['a.example', 'one'],
    ['x.b.example', 'one'],
    ['c.b.example', 'two'],
    ['b.example', 'two'],
    ['z.example', 'two'],
    ['localhost', 'two'],
    ['x.y.b.example', undefined],
    ['x.a.example', undefined],
    ['example', undefined],
    ['xb.example', 'two'],
    ['x.localhost', undefined],
    ['other.test', undefined],
    [undefined, undefined],
    ['', undefined],
  ] as const) {
    test(`${name} to ${pool ?? 'no pool'}`, () => {
      expect(routes.find(name)?.name).toBe(pool);
    });
  }

  test('to the name itself rather than the wildcard, in whichever order they are', () => {
    expect(routesOf('*.example -> wild', 'a.example -> exact').find('a.example')?.name).toBe('exact');
    expect(routesOf('a.example -> exact', '*.example -> wild').find('a.example')?.name).toBe('exact');
  });

  test('nowhere where there are no routes', () => {
    expect(new ServerNames([], 'sniRouting').find('a.example')).toBeUndefined();
  });

  test('nowhere by the names of properties', () => {
    expect(routes.find('constructor')).toBeUndefined();
    expect(routes.find('__proto__')).toBeUndefined();
  });
});

describe('a protocol leads', () => {
  const routes = routesOf(
    'a.example -> web',
    'a.example [acme-tls/1] -> acme',
    '*.example [h2] -> h2',
    '*.example [http/1.1 http/1.0] -> http1',
    'b.example [h2] -> b',
  );

  for (const [name, alpn, pool] of [
    ['a.example', [], 'web'],
    ['a.example', ['h2'], 'web'],
    ['a.example', ['acme-tls/1'], 'acme'],
    ['a.example', ['h2', 'acme-tls/1'], 'acme'],
    ['x.example', ['h2', 'http/1.1'], 'h2'],
    ['x.example', ['http/1.1', 'h2'], 'http1'],
    ['x.example', ['http/1.0'], 'http1'],
    ['x.example', ['smtp', 'h2'], 'h2'],
    ['x.example', ['smtp'], undefined],
    ['x.example', [], undefined],
    ['b.example', ['h2'], 'b'],
    ['b.example', ['http/1.1'], 'http1'],
    ['b.example', ['H2'], undefined],
    [undefined, ['h2'], undefined],
  ] as const) {
    test(`${name} with ${alpn.join(', ') || 'none'} to ${pool ?? 'no pool'}`, () => {
      expect(routes.find(name, alpn)?.name).toBe(pool);
    });
  }
});

describe('routes that contradict each other are refused', () => {
  test('with the same name', () => {
    const error = errorOf(() => routesOf('a.example -> one', 'b.example A.example -> two'));
    expect(error.message).toBe(
      "sniRouting[1].serverNames[1]: expected another name than sniRouting[0].serverNames[0], got 'a.example'",
    );
  });

  test('with the same wildcard', () => {
    expect(errorOf(() => routesOf('*.a.example -> one', '*.a.example -> two')).path).toBe(
      'sniRouting[1].serverNames[0]',
    );
  });

  test('with the same name for the same protocol', () => {
    const error = errorOf(() => routesOf('a.example [h2] -> one', 'a.example [http/1.1 h2] -> two'));
    expect(error.expected).toBe("another name than sniRouting[0].serverNames[0] for the protocol 'h2'");
  });

  test('not with a name beside a wildcard, or for different protocols', () => {
    expect(() =>
      routesOf('a.example -> 1', '*.example -> 2', 'a.example [h2] -> 3', 'a.example [h3] -> 4'),
    ).not.toThrow();
  });
});

test('every name leads where asking every route in turn would lead', () => {
  const label = fc.constantFrom('a', 'b', 'c');
  const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
  const pattern = fc.tuple(fc.boolean(), name).map(([isWild, text]) => (isWild ? `*.${text}` : text));
  fc.assert(
    fc.property(fc.uniqueArray(pattern, { maxLength: 12 }), fc.array(name, { maxLength: 20 }), (patterns, names) => {
      const routes = new ServerNames(
        patterns.map((text) => ({ serverNames: [text], target: { name: text } })),
        'routes',
      );
      for (const asked of names) {
        const wild = patterns.find((text) => {
          const below = text.startsWith('*.') && asked.endsWith(text.slice(1)) ? asked.slice(0, 1 - text.length) : '';
          return below !== '' && !below.includes('.');
        });
        const expected = patterns.includes(asked) ? asked : wild;
        expect(routes.find(asked)?.name).toBe(expected);
      }
    }),
    { seed: 20_261_124, numRuns: 2000 },
  );
});
