import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Consumer, root } from './consumer.ts';

/** The first program of the README's "Quick start", as it stands. */
async function quickStart(): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const block = /^## Quick start$[\s\S]*?^```(?:js|ts)\n([\s\S]*?)^```$/m.exec(readme);
  if (block?.[1] === undefined) throw new Error('the README has no program under "## Quick start"');
  return block[1];
}

let consumer: Consumer;
let running: ChildProcess | undefined;

beforeAll(async () => {
  consumer = await Consumer.install();
});

afterAll(async () => {
  running?.kill('SIGKILL');
  await consumer?.[Symbol.asyncDispose]();
});

test("the README's example runs as it stands, serves clients, and goes on doing so", async () => {
  const program = await quickStart();
  const question = program.includes('node:http') ? 'GET / HTTP/1.0\r\n\r\n' : '';
  await consumer.write('readme.mjs', program);
  const child = spawn(process.execPath, ['readme.mjs'], { cwd: consumer.folder });
  running = child;
  const complaints = text(child.stderr);
  const [line] = await Promise.race([once(child.stdout, 'data'), complaints]);
  expect(`${line}`).toMatch(/^listening .*\b8080\b/);

  const answers: string[] = [];
  const ended = once(child, 'exit').then(async () => {
    throw new Error(`the example has ended: ${await complaints}`);
  });
  const serve = async (): Promise<void> => {
    for (let client = 0; client < 2; client++) answers.push(await ask(question));
    // Some rounds of health checks must not disturb it.
    await sleep(2500);
    for (let client = 0; client < 2; client++) answers.push(await ask(question));
  };
  await Promise.race([ended, serve()]);
  ended.catch(() => {});
  for (const port of ['8081', '8082']) expect(answers.join('\n')).toContain(`from ${port}`);

  child.kill('SIGKILL');
  expect(await complaints).toBe('');
});

/** What a client gets that says this. */
async function ask(question: string): Promise<string> {
  const socket = connect(8080, '127.0.0.1');
  socket.end(question);
  // Where it breaks, the answer is not what it should be, which says more.
  return text(socket).catch((error: Error) => error.message);
}
