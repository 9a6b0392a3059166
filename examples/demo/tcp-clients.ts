import { connect, type Socket } from 'node:net';
import type { Kind, Visit } from './traffic.ts';

/** Plain TCP clients: some with one question, some that stay for a while. */
export function tcpClients(port: number): Kind[] {
  const kind = {
    name: 'TCP',
    canBeCut: true,
    ask: (questions: number, visit: Visit) => converse(port, questions, visit),
  };
  return [
    { ...kind, clients: 16, questions: 1, pause: 25 },
    { ...kind, clients: 12, questions: 15, pause: 80 },
  ];
}

/** Asks on a connection of its own. */
async function* converse(port: number, questions: number, { signal, pause }: Visit): AsyncGenerator<string> {
  const socket = connect({ port, host: '127.0.0.1', signal });
  try {
    const answers = answersOf(socket);
    for (let asked = 0; asked < questions; asked++) {
      if (asked > 0) await pause();
      socket.write('how are you?\n');
      const { value, done } = await answers.next();
      if (done === true) throw new Error('the connection ended before the answer');
      yield value;
    }
    socket.end();
  } finally {
    if (!socket.writableEnded) socket.destroy();
  }
}

/** The name of the backend that answers, once for each answer, which is a line. Throws where the connection breaks. */
async function* answersOf(socket: Socket): AsyncGenerator<string, undefined> {
  let text = '';
  // Between two answers nobody reads; what breaks then comes out at the next read.
  socket.on('error', () => {});
  for await (const chunk of socket.setEncoding('utf8')) {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      yield text.slice(0, text.indexOf(' '));
      text = text.slice(end + 1);
    }
  }
  return undefined;
}
