import { httpTable } from '../http.mjs';
import { measuredOn, profileText, verdictTable } from './parts.mjs';

/** The part of `docs/benchmarks.md` that `npm run bench:http` writes. */
export function httpPart(runs) {
  return `## HTTP

${measuredOn(runs.map(({ http }) => http))}

\`npm run bench:http\` measures all of this again; \`--only evenkeel,nginx\` and \`--workloads small,upload\` leave things out.

Contestants forward to the same two members, round robin, on one thread each, over connections that they keep; where a package knows
one target at a time, the two are given to it in turn. Client and members are processes of their own, on bare sockets; they check
the status and the length of every answer and request. The contestants take turns within each round, after a second that does not
count; figures are medians of the rounds, and ratios are medians of the rounds' ratios.

At full speed every connection has its next request as soon as it is done with one. At a rate, about half of what the slowest can
do, all contestants get the same requests at the same moments, with gaps by chance (a Poisson process), whether or not earlier
requests are done; latency counts from the moment a request was due, so that what it waits for a free connection is part of it. A
request costs more there, since there is less to do each time the process wakes up.

evenkeel runs with its defaults, without headers of its own. Packages run as their documentation advises for speed: an agent that
keeps connections, undici where there is a choice (\`test/bench/contestants\`). nginx and HAProxy keep connections to members too,
and pass bodies on as they come. A dash: the contestant has no such feature.

${runs.map(section).join('\n')}`;
}

function section({ node, http, verdicts, profiles }) {
  return `### HTTP on ${node}

#### Targets

${verdictTable(verdicts)}

#### Workloads

${http.results.map(httpTable).join('\n')}${profiles.map(profileText).join('')}`;
}
