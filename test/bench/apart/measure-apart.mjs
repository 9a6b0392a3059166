import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('one.mjs', import.meta.url));

/**
 * What a module makes of an order, in a process of its own.
 *
 * @param patience milliseconds that it may take
 * @returns what is measured, or `{ failed }` with the reason in words
 */
export function measureApart(order, { quick, node }, patience = quick ? 5000 : 12_000) {
  const effort = quick ? { rounds: 3, milliseconds: 15 } : { rounds: 5, milliseconds: 30 };
  const { error, status, stdout, stderr } = spawnSync(
    node,
    ['--expose-gc', program, JSON.stringify({ ...effort, ...order })],
    { encoding: 'utf8', timeout: patience, killSignal: 'SIGKILL' },
  );
  if (error?.code === 'ETIMEDOUT') return { failed: `not done in ${patience / 1000} s` };
  if (status !== 0)
    return { failed: /\w*Error(?: \[\w+\])?: .*|heap out of memory/.exec(stderr)?.[0] ?? `exit code ${status}` };
  return JSON.parse(stdout);
}
