import { below, mixed, oneOf, perhaps } from './chance.mjs';
import { Judge } from './judge.mjs';
import { someRequests } from './requests.mjs';
import { someResponses } from './responses.mjs';

const headers = ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto', 'Forwarded', 'X-Request-Id', 'Via'];
/** As many connections as are open at a time. */
const batch = 64;

/**
 * The case of a number, always the same.
 *
 * @param {(seed: number) => () => number} seededRandom
 * @param {{ requests: readonly string[], responses: readonly string[] }} corpus
 * @returns {import('./judge.mjs').Case}
 */
function caseOf(seededRandom, corpus, seed, index) {
  const random = seededRandom(mixed(seed, index));
  const isRequest = perhaps(random, 0.6);
  const settings = isRequest ? requestSettings(random) : responseSettings(random);
  const text = isRequest
    ? someRequests(random, corpus.requests)
    : someResponses(random, corpus.responses, settings.isForHead);
  const cuts = Array.from({ length: below(random, 4) }, () => below(random, text.length + 1)).sort((a, b) => a - b);
  const ahead = Array.from({ length: cuts.length + 1 }, () => perhaps(random, 0.3));
  return { kind: isRequest ? 'requests' : 'responses', text, cuts, ahead, settings };
}

function requestSettings(random) {
  return { inserts: headers.filter(() => perhaps(random, 0.3)), isTrusted: perhaps(random, 0.3) };
}

function responseSettings(random) {
  return {
    isForHead: perhaps(random, 0.15),
    minorVersion: oneOf(random, [1, 1, 1, 0]),
    asksForUpgrade: perhaps(random, 0.2),
  };
}

/**
 * Judges cases, one after the other.
 *
 * @param {import('./relay.mjs').Codec} codec
 * @param {(seed: number) => () => number} seededRandom
 * @param {{ requests: readonly string[], responses: readonly string[] }} corpus
 * @param {{ seed: number, first?: number, cases: number, progress?: (tally: Tally) => void }} options
 *
 * @typedef {{ cases: number, forwarded: number, refused: number, findings: { index: number, finding: string, case: import('./judge.mjs').Case }[] }} Tally
 * @returns {Promise<Tally>}
 */
export async function campaign(codec, seededRandom, corpus, { seed, first = 0, cases, progress }) {
  const judge = new Judge(codec);
  const tally = { cases: 0, forwarded: 0, refused: 0, findings: [] };
  while (tally.cases < cases) {
    const start = first + tally.cases;
    const made = Array.from({ length: Math.min(batch, cases - tally.cases) }, (_, each) =>
      caseOf(seededRandom, corpus, seed, start + each),
    );
    for (const [each, verdict] of (await judge.judge(made)).entries()) {
      tally.forwarded += verdict.forwarded;
      if (verdict.isRefused) tally.refused++;
      if (verdict.finding !== undefined)
        tally.findings.push({ index: start + each, finding: verdict.finding, case: made[each] });
    }
    tally.cases += made.length;
    progress?.(tally);
    if (tally.findings.length >= 20) break;
  }
  return tally;
}
