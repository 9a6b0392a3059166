import { pickTable, prepareTable } from '../picks.mjs';
import { tcpTable } from '../tcp.mjs';
import { measuredOn, profileText, verdictTable } from './parts.mjs';

/** The part of `docs/benchmarks.md` that `npm run bench` writes. */
export function picksAndTcpPart(runs) {
  return `## Picks and TCP

${measuredOn(runs.map(({ tcp }) => tcp))}

\`npm run bench\` measures all of this again; \`--only evenkeel,bare\`, \`--only-picks\` and \`--only-tcp\` leave things out.

${runs.map(section).join('\n')}`;
}

function section({ node, picks, tcp, verdicts, profiles }) {
  return `### ${node}

#### Targets

${verdictTable(verdicts)}

#### Picks

\`pool.acquire()\` and \`lease.release()\`: the median of several rounds, each row and size in a process of its own. A lease is released
at once, or when 64 (or half as many as there are members) have been taken after it. The source strategies are asked for 65,536
clients in turn. In italics the packages that do the same or come closest, where they exist: they only pick, without limits,
counters, health or a release. The weighted one of \`loadbalance\` is not smooth; \`P2cBalancer\` counts picks as if no connection
ended.

${pickTable(picks)}

From a change of one member to the first pick after it, which prepares the strategy anew; for the other packages, which know no
change, how long they take to be made:

${prepareTable(picks)}

#### TCP

Contestants forward to the same two members, round robin, on one thread each. Client and members are processes of their own, the
contestants take turns within each round, and the ratio is the median of the rounds' ratios. The bare relay is two sockets and two
pipes of Node (\`test/bench/contestants/bare-relay.mjs\`), without half-close, retry, timeouts or counters. evenkeel runs with its
defaults; so do HAProxy and nginx, apart from limits.

${tcp.results.map(tcpTable).join('\n')}${profiles.map(profileText).join('')}`;
}
