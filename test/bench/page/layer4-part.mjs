import { cpuTable } from './cpu-table.mjs';
import { measuredOn, profileText, verdictTable } from './parts.mjs';

/** The part of `docs/benchmarks.md` about the options of layer 4. */
export function layer4Part(command, runs) {
  return `## Layer 4 with everything on

${measuredOn(runs.map(({ node }) => ({ contestants: [{ version: node }], missing: [] })))}

\`${command}\` measures all of this again; \`--only none,all,queue\` and \`--workloads connections\` leave things out.

evenkeel beside itself: without any of the options of \`test/bench/layer4/options.mjs\`, with all of them at once, and with each by itself; TLS
apart. Limits are such that nothing reaches them. Client and members are processes of their own, contestants take turns within each round,
and the ratio is the median of the rounds' ratios. With \`acceptProxyProtocol\` every connection begins with a header of version 2, with
one of 65,536 addresses, and with \`proxyProtocol\` so does every connection to a member; without, all clients have one address.

${runs.map(section).join('\n')}`;
}

function section({ node, results: { results, unknown }, verdicts, profiles }) {
  return `### Layer 4 with everything on, ${node}

${verdictTable(verdicts)}
${unknownText(unknown)}
${results.map(cpuTable).join('\n')}${profiles.map(profileText).join('')}`;
}

/** Which of the options the version that was measured does not have. */
export function unknownText(unknown) {
  return unknown.length === 0 ? '' : `\nNot known to this version, and left out: ${unknown.join(', ')}.\n`;
}
