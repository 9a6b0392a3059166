import { execFileSync, spawnSync } from 'node:child_process';
import { startHaproxy } from '../contestants/haproxy.mjs';
import { startNginx } from '../contestants/nginx.mjs';
import { startNode } from './process.mjs';

/** Who takes part, in the order of the tables. All spread connections round robin over the same two members. */
export const contestants = [
  { name: 'bare', label: 'bare relay', version: nodeVersion, start: ours('bare-relay') },
  { name: 'evenkeel', label: 'evenkeel', version: nodeVersion, start: ours('evenkeel') },
  { name: 'haproxy', label: 'HAProxy', version: installed('haproxy', /version (\S+)/), start: startHaproxy },
  { name: 'nginx', label: 'nginx stream', version: installed('nginx', /nginx\/(\S+)/), start: startNginx },
];

function ours(name) {
  return async (members, { node, cpuProfiles }) => {
    const profiling = [
      '--cpu-prof',
      '--cpu-prof-interval=200',
      `--cpu-prof-dir=${cpuProfiles}`,
      `--cpu-prof-name=${name}.cpuprofile`,
    ];
    const flags = cpuProfiles === undefined ? [] : profiling;
    const { child, message } = await startNode(`../contestants/${name}.mjs`, members.map(String), { node, flags });
    return { child, port: message.port };
  };
}

export function nodeVersion({ node }) {
  return `Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1)}`;
}

/** The version of a program, or undefined where it is not installed. */
function installed(command, pattern) {
  return () => {
    const { error, stdout, stderr } = spawnSync(command, ['-v'], { encoding: 'utf8' });
    return error === undefined ? pattern.exec(stdout + stderr)?.[1] : undefined;
  };
}
