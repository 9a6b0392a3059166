/**
 * Runs the core's tests where there is no Node: on Bun, which comes from the npm registry and stays in .build/bun.
 * Bun's test runner stands in for what tests import from 'vitest' (`describe`, `test`, `expect`); it has no `expect.poll`,
 * and the tests of the core need none.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const version = '1.4.5';
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.build/bun', version);
const bun = join(folder, 'node_modules/.bin/bun');

if (!existsSync(bun)) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  execFileSync('npm', ['install', '--no-save', '--no-package-lock', `bun@${version}`], { cwd: folder, stdio: 'pipe' });
}

const { status } = spawnSync(
  bun,
  [
    'test',
    ...['core', 'strategies', 'safeguards', 'health', 'persistence', 'proxy-protocol', 'tls', 'http1'].map(
      (part) => `./test/${part}`,
    ),
  ],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
console.log(`Bun ${version} ${status === 0 ? 'passed' : 'FAILED'}`);
process.exitCode = status === 0 ? 0 : 1;
