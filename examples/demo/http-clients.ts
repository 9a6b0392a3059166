import { on, once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import type { Kind, Visit } from './traffic.ts';

const host = '127.0.0.1';
const upload = '+'.repeat(16_384);

/**
 * Clients that read, clients that write, and WebSockets. Those that read and write keep their connections. A dying backend may take
 * with it a WebSocket, and a POST that it has begun, since nobody may send that twice; but never a GET.
 */
export function httpClients(port: number): Kind[] {
  const agent = new Agent({ keepAlive: true });
  const one = { questions: 1, pause: 20 };
  return [
    { name: 'GET', ...one, clients: 16, canBeCut: false, ask: (_, visit) => get(port, agent, visit) },
    { name: 'POST', ...one, clients: 8, canBeCut: true, ask: (_, visit) => post(port, agent, visit) },
    {
      name: 'WebSocket',
      clients: 6,
      questions: 10,
      pause: 60,
      canBeCut: true,
      ask: (questions, visit) => chat(port, questions, visit),
    },
  ];
}

async function* get(port: number, agent: Agent, { signal }: Visit): AsyncGenerator<string> {
  const [name, payload = ''] = await answerTo({ method: 'GET', port, agent, signal });
  if (payload.length !== 4096) throw new Error(`got ${payload.length} of 4096 bytes`);
  yield name;
}

async function* post(port: number, agent: Agent, { signal }: Visit): AsyncGenerator<string> {
  const [name, size] = await answerTo({ method: 'POST', port, agent, signal }, upload);
  if (Number(size) !== upload.length) throw new Error(`${size} of ${upload.length} bytes arrived`);
  yield name;
}

interface Question {
  readonly method: string;
  readonly port: number;
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

/** The words of an answer, which begins with the name of whose it is. */
async function answerTo(question: Question, body = ''): Promise<[name: string, ...words: string[]]> {
  const sent = request({ host, ...question }).end(body);
  // A connection may also break when the answer is here; what is missing from that is noticed below.
  sent.on('error', () => {});
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const words = (await text(answer)).trim();
  if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}: ${words}`);
  const [name = '', ...rest] = words.split(' ');
  return [name, ...rest];
}

async function* chat(port: number, questions: number, { signal, pause }: Visit): AsyncGenerator<string> {
  const socket = new WebSocket(`ws://${host}:${port}/chat`);
  try {
    const answers = on(socket, 'message', { close: ['close'], signal });
    await once(socket, 'open', { signal });
    for (let asked = 0; asked < questions; asked++) {
      if (asked > 0) await pause();
      socket.send('how are you?');
      const { value, done } = await answers.next();
      if (done === true) throw new Error('the WebSocket closed before the answer');
      yield String(value[0]);
    }
    socket.close();
    await once(socket, 'close', { signal });
  } finally {
    socket.terminate();
  }
}
