import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whatever is still running when the benchmark ends, however it ends. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/**
 * Starts one of our programs, which ends when its channel closes. Resolves with its first message.
 *
 * @param {URL} file
 */
export async function startNode(file, args = [], { node = process.execPath, flags = [], awaits = true } = {}) {
  const child = start(node, [...flags, fileURLToPath(file), ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return { child, message: awaits ? await reply(child, 10_000) : undefined };
}

/** What a child answers to an order. */
export function ask(child, order, timeout) {
  const answer = reply(child, timeout);
  child.send(order);
  return answer;
}

/** The next message of a child; rejects where it reports a failure, ends, or says nothing for `timeout` milliseconds. */
async function reply(child, timeout) {
  const settled = new AbortController();
  const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(timeout)]);
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${nameOf(child)} exited with ${code}`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    if (message.failed !== undefined) throw new Error(message.failed);
    return message;
  } finally {
    // Takes the other listener away. What it rejects with has been seen to by the race.
    settled.abort();
  }
}

/** The program of ours that it runs. */
function nameOf({ spawnargs, spawnfile }) {
  return basename(spawnargs.find((argument) => argument.endsWith('.mjs')) ?? spawnfile);
}

/** Ends a child, by closing its channel where it has one. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  else child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exited;
  clearTimeout(timer);
}
