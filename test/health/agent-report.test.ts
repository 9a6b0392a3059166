import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentLine } from '../../src/health/agent/agent-line.ts';
import { type AgentReport, readAgentLine } from '../../src/health/agent/agent-report.ts';
import { AgentView } from '../../src/health/agent/agent-view.ts';

const nothing: AgentReport = {
  weightPercent: undefined,
  maxConnections: undefined,
  mode: undefined,
  health: undefined,
  comment: '',
  error: undefined,
};

describe('a line of an agent', () => {
  for (const [line, report] of [
    // HAProxy's reg-tests/checks/agent-check.vtc and server/cli_add_server.vtc.
    ['75%,maxconn:30,maint,down', { weightPercent: 75, maxConnections: 30, mode: 'maint', health: 'down' }],
    ['ready up', { mode: 'ready', health: 'up' }],
    ['up', { health: 'up' }],
    ['100%', { weightPercent: 100 }],
    ['0%', { weightPercent: 0 }],
    ['150%', { weightPercent: 150 }],
    ['99999%', { weightPercent: 25_600 }],
    ['drain', { mode: 'drain' }],
    ['fail', { health: 'fail' }],
    ['stopped', { health: 'stopped' }],
    ['UP Ready 5%', { mode: 'ready', health: 'up', weightPercent: 5 }],
    ['MAXCONN:7', { maxConnections: 7 }],
    ['maxconn:0', { maxConnections: 2_147_483_647 }],
    ['maxconn:99999999999', { maxConnections: 2_147_483_647 }],
    ['  up \t , 50% ', { health: 'up', weightPercent: 50 }],
    ['down # the disk is full', { health: 'down', comment: 'the disk is full' }],
    ['down#the disk is full, up', { health: 'down', comment: 'the disk is full, up' }],
    ['up down', { health: 'down' }],
    ['drain ready 10% 20%', { mode: 'ready', weightPercent: 20 }],
    ['up 12', { health: 'up', error: "the agent says '12'" }],
    ['busy 50%', { weightPercent: 50, error: "the agent says 'busy'" }],
    ['-5%', { error: "the agent says '-5%'" }],
    ['5.5%', { error: "the agent says '5.5%'" }],
    ['maxconn: 5', { error: "the agent says 'maxconn:'" }],
    ['maxconn:-5', { error: "the agent says 'maxconn:-5'" }],
    ['up\u0007', { error: "the agent says 'up\\u0007'" }],
    ['', { error: 'the agent says nothing' }],
    [' ,\t', { error: 'the agent says nothing' }],
    ['# all is well', { comment: 'all is well', error: 'the agent says nothing' }],
  ] as const) {
    test(`${JSON.stringify(line)} says ${JSON.stringify(report)}`, () => {
      expect(readAgentLine(line)).toEqual({ ...nothing, ...report });
    });
  }

  test('comments at no great length, and without control characters', () => {
    expect(readAgentLine(`down #${'x'.repeat(1000)}`).comment).toHaveLength(200);
    expect(readAgentLine('down #a\u001b[31m').comment).toBe('a\\u001b[31m');
  });
});

/**
 * The same by another road: character by character, and numbers by hand. Words of HAProxy's `doc/configuration.txt`, "agent-check".
 */
function readPlainly(line: string): Omit<AgentReport, 'comment' | 'error'> & { hasError: boolean } {
  const report = { weightPercent: undefined, maxConnections: undefined, mode: undefined, health: undefined } as {
    -readonly [Field in keyof Omit<AgentReport, 'comment' | 'error'>]: AgentReport[Field];
  };
  const words: string[] = [];
  let word = '';
  for (const character of line) {
    if (character === '#') break;
    const isGap = character === ' ' || character === '\t' || character === ',';
    if (!isGap) word += character;
    else if (word !== '') words.push(word);
    if (isGap) word = '';
  }
  if (word !== '') words.push(word);
  let hasError = words.length === 0;
  const isNumber = (text: string, most: number): boolean =>
    text.length > 0 && text.length <= most && [...text].every((digit) => '0123456789'.includes(digit));
  for (const each of words.map((written) => written.toLowerCase())) {
    if (each === 'ready' || each === 'drain' || each === 'maint') report.mode = each;
    else if (each === 'up' || each === 'down' || each === 'fail' || each === 'stopped') report.health = each;
    else if (each.endsWith('%') && isNumber(each.slice(0, -1), 9)) {
      report.weightPercent = Math.min(25_600, Number(each.slice(0, -1)));
    } else if (each.startsWith('maxconn:') && isNumber(each.slice(8), 15)) {
      report.maxConnections = Math.min(2_147_483_647, Number(each.slice(8)) || 2_147_483_647);
    } else hasError = true;
  }
  return { ...report, hasError };
}

test('a line is read as a plain reading of it would, whatever is in it', () => {
  const part = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('up', 'DOWN', 'Fail', 'stopped', 'ready', 'drain', 'maint') },
    { weight: 3, arbitrary: fc.nat(40_000).map((number) => `${number}%`) },
    { weight: 3, arbitrary: fc.nat().map((number) => `maxconn:${number}`) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(' ', ',', '\t', '#', '%', 'maxconn:', '0', '9999999999', '-', '١%', 'K', '\0'),
    },
    { weight: 1, arbitrary: fc.string({ maxLength: 5 }) },
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const line = parts.join('');
      const { comment, error, ...report } = readAgentLine(line);
      expect({ ...report, hasError: error !== undefined }).toEqual(readPlainly(line));
      expect(comment === '' || line.includes('#')).toBe(true);
    }),
    { seed: 11, numRuns: 3000 },
  );
});

describe('what an agent has said', () => {
  const heard = (...lines: string[]): AgentView => {
    const view = new AgentView();
    for (const line of lines) view.hear(readAgentLine(line));
    return view;
  };

  test('stays until the agent takes it back', () => {
    const view = heard('75%,maxconn:30,drain,down #disk', '50%');
    expect([view.weightPercent, view.maxConnections, view.mode, view.reason]).toEqual([
      50,
      30,
      'drain',
      'agent: down (disk)',
    ]);
  });

  test('is taken back word by word', () => {
    const view = heard('75%,maxconn:30,drain,down', 'up', 'ready', '100%', 'maxconn:0');
    expect(view).toEqual(new AgentView());
  });

  for (const [weight, percent, effective] of [
    [100, 75, 75],
    [1, 75, 1],
    [1, 1, 1],
    [3, 50, 1],
    [100, 0, 0],
    [0, 75, 0],
    [256, 100, 256],
    [200, 200, 256],
    [10, 150, 15],
  ] as const) {
    test(`makes ${percent}% of a weight of ${weight} one of ${effective}`, () => {
      expect(heard(`${percent}%`).weightOf(weight)).toBe(effective);
    });
  }
});

describe('an agent’s line', () => {
  /** What it is found to be when it comes in these pieces, and whether the end was needed. */
  function found(text: string, cuts: readonly number[]): string {
    const bytes = new TextEncoder().encode(text);
    const line = new AgentLine();
    const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
    let from = 0;
    for (const end of ends) {
      const said = line.push(bytes.subarray(from, end));
      if (said !== undefined) return said instanceof Error ? said.message : said;
      from = end;
    }
    const said = line.end();
    return said instanceof Error ? said.message : `${said} (ended)`;
  }

  for (const [text, line] of [
    ['up\n', 'up'],
    ['up\r\n', 'up'],
    ['up\rdown', 'up'],
    ['up\ndown\n', 'up'],
    ['up', 'up (ended)'],
    ['', 'the agent closed without a word'],
    ['\n', ''],
    ['down # Grüße 🎉\n', 'down # Grüße 🎉'],
    ['x'.repeat(1024), "the agent's line has more than 1024 bytes"],
    [`${'x'.repeat(1023)}\n`, 'x'.repeat(1023)],
  ] as const) {
    test(`${JSON.stringify(text.slice(0, 20))} is '${line.slice(0, 45)}', wherever it is cut`, () => {
      const { length } = new TextEncoder().encode(text);
      expect(found(text, [])).toBe(line);
      expect(
        found(
          text,
          Array.from({ length }, (_, at) => at),
        ),
      ).toBe(line);
    });
  }

  test('comes to the same however it is cut, and never takes more than its bound', () => {
    const words = fc.constantFrom('up', 'down', '5%', 'maxconn:3', '#', ' ', ',', '\n', '\r', 'ü', '🎉', '\0');
    const text = fc.array(words, { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(100), { maxLength: 8 }), (said, cuts) => {
        const { length } = new TextEncoder().encode(said);
        expect(
          found(
            said,
            cuts.map((cut) => Math.min(cut, length)),
          ),
        ).toBe(found(said, []));
        expect(() => readAgentLine(said)).not.toThrow();
      }),
      { seed: 6 },
    );
  });
});
