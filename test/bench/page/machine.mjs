import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

/** What the figures depend on, as lines of text. */
export function machine() {
  const [{ model }] = cpus();
  return [
    `${model}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory${isVirtual() ? ', a virtual machine' : ''}`,
    `${type()} ${release()}`,
    `evenkeel ${commit()}, ${new Date().toISOString().slice(0, 10)}`,
  ];
}

function isVirtual() {
  return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
}

/** The commit that was measured, and whether the sources differ from it. */
function commit() {
  const git = (...args) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--', ':/src') !== '';
    return `at commit ${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
  } catch {
    return 'outside its repository';
  }
}
