/**
 * `npm run fuzz`: messages by chance through the codec as it was built, and what goes on of them through Node's parser, until there
 * are enough of them. Options: --cases, --seed, --first (start with this case), --dist (another build).
 */
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { smugglingRequests, smugglingResponses } from '../http1/smuggling.mjs';
import { campaign } from './campaign.mjs';
import { Judge } from './judge.mjs';
import { minimised } from './minimise.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    dist: { type: 'string', default: fileURLToPath(new URL('../../dist', import.meta.url)) },
  },
});
const dist = pathToFileURL(`${resolve(values.dist)}/`);
const modules = [
  'message-reader',
  'request-head',
  'response-head',
  'request-forwarding',
  'response-forwarding',
  'limits',
];
const loaded = await Promise.all(modules.map((name) => import(new URL(`http1/${name}.js`, dist).href)));
const { seededRandom } = await import(new URL('core/random.js', dist).href);
const codec = Object.assign({}, ...loaded, {
  decode: (bytes, start, end) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end),
  encode: (text) => Buffer.from(text, 'latin1'),
});
const corpus = {
  requests: smugglingRequests.map(({ bytes }) => bytes),
  responses: smugglingResponses.map(({ bytes }) => bytes),
};

const seed = Number(values.seed);
const startedAt = performance.now();
let toldAt = startedAt;

function tell({ cases, forwarded, refused, findings }) {
  const seconds = (performance.now() - startedAt) / 1000;
  const megabytes = Math.round(process.memoryUsage().rss / 1e6);
  console.log(
    `${cases} cases, ${Math.round(cases / seconds)} a second, ${forwarded} messages forwarded, ${refused} connections refused, ` +
      `${findings.length} findings, ${megabytes} MB`,
  );
}

const tally = await campaign(codec, seededRandom, corpus, {
  seed,
  first: Number(values.first),
  cases: Number(values.cases),
  progress: (each) => {
    if (performance.now() - toldAt < 5000) return;
    toldAt = performance.now();
    tell(each);
  },
});
tell(tally);
for (const { index, finding, case: found } of tally.findings) {
  const { kind, text, cuts, ahead, settings } = await minimised(new Judge(codec), found, finding);
  console.log(`\ncase ${index} of seed ${seed} (--seed ${seed} --first ${index} --cases 1): ${finding}`);
  console.log(JSON.stringify({ kind, text, cuts, ahead, settings }));
}
process.exitCode = tally.findings.length === 0 ? 0 : 1;
