import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/core/random.ts';
import { codec } from '../fixtures/http1.ts';
import { smugglingRequests, smugglingResponses } from '../http1/smuggling.mjs';
import { campaign } from './campaign.mjs';
import { type Case, Judge } from './judge.mjs';
import { minimised } from './minimise.mjs';

const quick = {
  ...codec,
  decode: (bytes: Uint8Array, start: number, end: number): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end),
  encode: (text: string): Uint8Array => Buffer.from(text, 'latin1'),
};
const corpus = {
  requests: smugglingRequests.map(({ bytes }) => bytes),
  responses: smugglingResponses.map(({ bytes }) => bytes),
};

function caseOf(kind: Case['kind'], text: string): Case {
  return { kind, text, cuts: [], ahead: [], settings: {} };
}

describe("Node's parser reads as we do", () => {
  for (const seed of [1, 2, 3]) {
    test(`what goes on of messages by chance, seed ${seed}`, async () => {
      const { findings, forwarded, refused } = await campaign(quick, seededRandom, corpus, { seed, cases: 5000 });
      expect(findings).toEqual([]);
      // What is all refused, or all good, tells nothing.
      expect(forwarded).toBeGreaterThan(2000);
      expect(refused).toBeGreaterThan(1000);
    });
  }

  test('what goes on of known attacks', async () => {
    const cases = [
      ...corpus.requests.map((text) => caseOf('requests', text)),
      ...corpus.responses.map((text) => caseOf('responses', text)),
    ];
    const verdicts = await new Judge(quick).judge(cases);
    expect(
      verdicts.flatMap(({ finding }, index) => (finding === undefined ? [] : [[finding, cases[index]?.text]])),
    ).toEqual([]);
  });
});

describe('the fuzzer', () => {
  test('finds what a codec with a fault does, and the shortest message that shows it', async () => {
    // It takes a length for what it begins with.
    class Lax extends quick.RequestHead {
      override conclude(): void {
        super.conclude();
        if (this.error?.reason === 'a malformed Content-Length') this.error = undefined;
      }
    }
    const faulty = { ...quick, RequestHead: Lax, requestFraming: () => 'none' as const };
    const judge = new Judge(faulty);
    const found = caseOf(
      'requests',
      'POST /a HTTP/1.1\r\nHost: a.example\r\nX: y\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n',
    );
    const [verdict] = await judge.judge([found]);
    expect(verdict?.finding).toMatch(/0 bytes of 5/);
    const { text } = await minimised(judge, found, verdict?.finding ?? '');
    expect(text).toMatch(/^\w \/ HTTP\/1.1\r\nHost:\r\nContent-Length:\d\r\n\r\n$/);
  });
});
