import { cpuTable } from './cpu-table.mjs';
import { measuredOn, profileText, verdictTable } from './parts.mjs';

/** The part of `docs/benchmarks.md` about ending TLS. */
export function tlsPart(command, runs) {
  return `## TLS

${measuredOn(runs.map(({ results }) => results))}

\`${command}\` measures all of this again; \`--only evenkeel,bare\` and \`--workloads full,resumed,download\` leave things out.

Contestants end their clients' TLS and forward to the same two members, round robin, on one thread each. All show the same certificate
(ECDSA on P-256; once RSA of 2048 bits), and clients offer AES-128-GCM with SHA-256 and an exchange on X25519 only. Clients check version,
cipher, exchange and, of each handshake, whether the session was resumed; those that resume all come with one ticket, which is new in
each round. Client and members are processes of their own, the contestants take turns within each round, and the ratio is the median of
the rounds' ratios. The bare relay is Node's TLS server and two pipes (\`test/bench/contestants/tls-relay.mjs\`); Node brings an OpenSSL
of its own, HAProxy and nginx have the system's.

${runs.map(section).join('\n')}`;
}

function section({ node, results: { results }, verdicts, profiles }) {
  return `### TLS on ${node}

${verdictTable(verdicts)}

${results.map(cpuTable).join('\n')}${profiles.map(profileText).join('')}`;
}
