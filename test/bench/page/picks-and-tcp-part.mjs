import { tcpTable } from '../tcp.mjs';
import { measuredOn, profileText, verdictTable } from './parts.mjs';
import { picksText } from './picks-text.mjs';

/** The part of `docs/benchmarks.md` that `npm run bench` writes. */
export function picksAndTcpPart(runs) {
  return `## Picks and TCP

${measuredOn(runs.map(({ tcp }) => tcp))}

\`npm run bench\` measures all of this again; \`--only evenkeel,bare\`, \`--only-tcp\`, \`--only-picks\` and \`--strategies maglev,safeguards\`
leave things out.

${runs.map(section).join('\n')}`;
}

function section({ node, picks, tcp, verdicts, profiles }) {
  return `### ${node}

#### Targets

${verdictTable(verdicts)}

${picksText(picks)}

#### TCP

Contestants forward to the same two members, round robin, on one thread each. Client and members are processes of their own, the
contestants take turns within each round, and the ratio is the median of the rounds' ratios. The bare relay is two sockets and two
pipes of Node (\`test/bench/contestants/bare-relay.mjs\`), without half-close, retry, timeouts or counters. evenkeel runs with its
defaults; so do HAProxy and nginx, apart from limits.

${tcp.results.map(tcpTable).join('\n')}${profiles.map(profileText).join('')}`;
}
