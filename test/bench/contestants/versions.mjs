import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a contestant's figures belong to, such as `Node 24.21.0`; undefined where it is not installed. */
export function nodeVersion({ node }) {
  return `Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1)}`;
}

export function programVersion(command, label, pattern) {
  return () => {
    const { error, stdout, stderr } = spawnSync(command, ['-v'], { encoding: 'utf8' });
    const version = error === undefined ? pattern.exec(stdout + stderr)?.[1] : undefined;
    return version && `${label} ${version}`;
  };
}

/** @param path of the package below `node_modules` */
export function packageVersion(path) {
  return () => {
    const file = new URL(`../../../node_modules/${path}/package.json`, import.meta.url);
    const { name, version } = JSON.parse(readFileSync(file, 'utf8'));
    return `${name} ${version}`;
  };
}
