import { machine } from './machine.mjs';
import { pickTable, prepareTable } from './picks.mjs';
import { table } from './table.mjs';
import { tcpTable } from './tcp.mjs';

/** `docs/benchmarks.md`, as a whole. */
export function benchmarksPage(runs) {
  return `# Benchmarks

<!-- Written by \`npm run bench\`. Do not edit: the next run replaces it. -->

Measured on:
${machine()
  .map((line) => `- ${line}`)
  .join('\n')}
- ${versions(runs).join(', ')}

\`npm run bench\` measures all of this again and writes this page; \`npm run bench -- --quick\` only prints, in a minute.
\`--node <path>\`, which can be repeated, says on which Node binaries; \`--only evenkeel,bare\`, \`--only-picks\` and \`--only-tcp\`
leave things out.

All time is CPU time as the system accounts it, user and system, of the process measured. Everything runs on one machine over
loopback. Figures of one machine compare with each other, not with those of another.

${runs.map(section).join('\n')}`;
}

function versions(runs) {
  const all = runs.flatMap(({ tcp }) =>
    tcp.contestants.map(({ name, label, version }) => (isOurs(name) ? version : `${label} ${version}`)),
  );
  const missing = runs.flatMap(({ tcp }) => tcp.missing.map((label) => `${label} is not installed`));
  return [...new Set([...all, ...missing])];
}

const isOurs = (name) => name === 'evenkeel' || name === 'bare';

function section({ node, picks, tcp, verdicts, profiles }) {
  return `## ${node}

### Targets

${verdictTable(verdicts)}

### Picks

\`pool.acquire()\` and \`lease.release()\`: the median of several rounds, each row and size in a process of its own. A lease is released
at once, or when 64 (or half as many as there are members) have been taken after it. The source strategies are asked for 65,536
clients in turn. In italics the packages that do the same or come closest, where they exist: they only pick, without limits,
counters, health or a release. The weighted one of \`loadbalance\` is not smooth; \`P2cBalancer\` counts picks as if no connection
ended.

${pickTable(picks)}

From a change of one member to the first pick after it, which prepares the strategy anew; for the other packages, which know no
change, how long they take to be made:

${prepareTable(picks)}

### TCP

Contestants forward to the same two members, round robin, on one thread each. Client and members are processes of their own, the
contestants take turns within each round, and the ratio is the median of the rounds' ratios. The bare relay is two sockets and two
pipes of Node (\`test/bench/contestants/bare-relay.mjs\`), without half-close, retry, timeouts or counters. evenkeel runs with its
defaults; so do HAProxy and nginx, apart from limits.

${tcp.results.map(tcpTable).join('\n')}${profiles.map(profileText).join('')}`;
}

export function verdictTable(verdicts) {
  return table(
    ['', 'target', 'measured', ''],
    verdicts.map(({ what, target, measured, isMet }) => [what, target, measured, isMet ? 'met' : '**missed**']),
  );
}

function profileText({ title, text }) {
  return `
### Missed: ${title}

Where the time goes, by V8's sampling profiler in a run of its own:

${text}
`;
}
