import { cpuTable } from './cpu-table.mjs';
import { measuredOn, profileText, verdictTable } from './parts.mjs';
import { picksText } from './picks-text.mjs';

/** The part of `docs/benchmarks.md` that `npm run bench` writes about picks and TCP, from the runs of both. */
export function picksAndTcpPart(picks, tcp) {
  return `## Picks and TCP

${measuredOn(tcp.map(({ results }) => results))}

\`npm run bench -- --only-picks --only-tcp\` measures all of this again; \`--only evenkeel,bare\`, one of the two and
\`--strategies maglev,safeguards\` leave things out.

${picks.map((run, n) => section(run, tcp[n])).join('\n')}`;
}

function section(picks, tcp) {
  return `### ${tcp.node}

#### Targets

${verdictTable([...picks.verdicts, ...tcp.verdicts])}

${picksText(picks.results)}

#### TCP

Contestants forward to the same two members, round robin, on one thread each. Client and members are processes of their own, the
contestants take turns within each round, and the ratio is the median of the rounds' ratios. The bare relay is two sockets and two
pipes of Node (\`test/bench/contestants/bare-relay.mjs\`), without half-close, retry, timeouts or counters. evenkeel runs with its
defaults; so do HAProxy and nginx, apart from limits.

${tcp.results.results.map(cpuTable).join('\n')}${[...picks.profiles, ...tcp.profiles].map(profileText).join('')}`;
}
