import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('one.mjs', import.meta.url));

/**
 * What `one.mjs` makes of an order, in a process of its own.
 *
 * @returns what is measured, or `{ failed }` with the reason in words
 */
export function measureApart(order, { quick, node }) {
  const effort = quick ? { rounds: 3, milliseconds: 15 } : { rounds: 5, milliseconds: 30 };
  const timeout = quick ? 5000 : 12_000;
  const { error, status, stdout, stderr } = spawnSync(
    node,
    ['--expose-gc', program, JSON.stringify({ ...effort, ...order })],
    { encoding: 'utf8', timeout, killSignal: 'SIGKILL' },
  );
  if (error?.code === 'ETIMEDOUT') return { failed: `not done in ${timeout / 1000} s` };
  if (status !== 0)
    return { failed: /\w*Error(?: \[\w+\])?: .*|heap out of memory/.exec(stderr)?.[0] ?? `exit code ${status}` };
  return JSON.parse(stdout);
}
