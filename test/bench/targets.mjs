import { cpuRatio } from './http.mjs';
import { median } from './median.mjs';

/** What the project set out to reach; `pick-targets.mjs` has the others. */
const tcpTargets = [
  { workload: 'setup', what: 'CPU per connection', most: 1.15 },
  { workload: 'pingpong', what: 'CPU per request on a kept connection', most: 1.1 },
  { workload: 'download', what: 'CPU per GiB, member to client (a target for Node 24)', most: 0.85 },
  { workload: 'download', what: 'CPU per GiB, member to client', most: 1, beside: 'haproxy' },
  { workload: 'upload', what: 'CPU per GiB, client to member (a target for Node 24)', most: 0.85 },
  { workload: 'upload', what: 'CPU per GiB, client to member', most: 1, beside: 'haproxy' },
  { workload: 'memory', what: 'memory per idle connection', most: 1.2 },
];

const isPeer = (row) => row.isPeer;
const named = (name) => (row) => row.name === name;

/** Beside the cheapest of those chosen: CPU is at most so many times theirs, or theirs at least so many times evenkeel's. */
const httpTargets = [
  { workload: 'small', what: 'small GET', most: 2, beside: named('nginx'), whose: "nginx's" },
  { workload: 'small', what: 'small GET', least: 3, beside: named('http-proxy'), whose: 'http-proxy' },
  { workload: 'small', what: 'small GET', least: 1.7, beside: (row) => row.usesUndici, whose: 'any package on undici' },
  ...['download', 'upload'].flatMap((workload) => [
    { workload, what: `${workload} of 1 MiB`, most: 1, beside: isPeer, whose: "any package's" },
    { workload, what: `${workload} of 1 MiB`, most: 1.1, beside: named('evenkeel-tcp'), whose: "evenkeel's over TCP" },
  ]),
];

/** The cost of everything that is switched on at once. */
const layer4Targets = [
  { workload: 'connections', what: 'CPU per TCP connection, all options', most: 1.25, own: 'all', beside: 'none' },
];

/** All beside a bare relay. */
const tlsTargets = [
  { workload: 'full', what: 'CPU per full handshake, TLS 1.3' },
  { workload: 'full-1.2', what: 'CPU per full handshake, TLS 1.2' },
  { workload: 'full-rsa', what: 'CPU per full handshake, TLS 1.3, RSA 2048' },
  { workload: 'resumed', what: 'CPU per resumed handshake, TLS 1.3' },
  { workload: 'resumed-1.2', what: 'CPU per resumed handshake, TLS 1.2' },
  { workload: 'download', what: 'CPU per GiB, member to client, TLS' },
  { workload: 'upload', what: 'CPU per GiB, client to member, TLS' },
].map((target) => ({ ...target, most: 1.15 }));

export const judgeTcp = (results) => judgeCpu(tcpTargets, results);
export const judgeLayer4 = (results) => judgeCpu(layer4Targets, results);
export const judgeTls = (results) => judgeCpu(tlsTargets, results);

function judgeCpu(targets, results) {
  return targets.flatMap(({ workload, what, most, own: ownName = 'evenkeel', beside = 'bare' }) => {
    const rows = results.find(({ name }) => name === workload)?.rows ?? [];
    const own = rows.find(named(ownName));
    const other = rows.find(named(beside));
    if (own === undefined || other === undefined) return [];
    const verdict = { what, target: `at most ${most} of ${other.label}'s`, workload };
    if (own.failed !== undefined || other.failed !== undefined) return { ...verdict, measured: 'failed', isMet: false };
    // As it is shown, so that the table does not contradict itself.
    const ratio = median(own.figures.map((figure, round) => figure / other.figures[round])).toFixed(2);
    return { ...verdict, measured: ratio, isMet: Number(ratio) <= most };
  });
}

/** Each target at full speed, where what must be done counts, and at a rate, where so does waking up for each request. */
export function judgeHttp(results) {
  return httpTargets.flatMap((target) =>
    ['full', 'paced'].flatMap((load) => {
      const result = results.find(({ name }) => name === target.workload);
      return result === undefined ? [] : judgeLoad(target, result, load);
    }),
  );
}

function judgeLoad({ workload, what, most, least, beside, whose }, { rate, rows }, load) {
  const cpu = ({ rounds }) => median(rounds.map((round) => round[load].cpu));
  const own = rows.find(named('evenkeel'));
  const [other] = rows.filter((row) => row.rounds !== undefined && beside(row)).sort((a, b) => cpu(a) - cpu(b));
  if (own === undefined || other === undefined) return [];
  const verdict = {
    what: `CPU per ${what}, at ${load === 'full' ? 'full speed' : `${rate.toLocaleString('en')} a second`}`,
    target: least === undefined ? `at most ${most} of ${whose}` : `at least ${least} times cheaper than ${whose}`,
    workload,
  };
  if (own.rounds === undefined) return { ...verdict, measured: 'failed', isMet: false };
  // As it is shown, so that the table does not contradict itself.
  const ratio = (least === undefined ? cpuRatio(own, other, load) : cpuRatio(other, own, load)).toFixed(2);
  return {
    ...verdict,
    measured: `${ratio} (${other.label})`,
    isMet: least === undefined ? Number(ratio) <= most : Number(ratio) >= least,
  };
}
