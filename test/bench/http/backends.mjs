import { createServer } from 'node:net';
import { unmasked } from './frames.mjs';
import { acceptOf, answerBytes, countRequestFields, exchanges } from './messages.mjs';

/**
 * Both members, in one process; each has a door for every contestant, so that connections of one that the kernel has not forgotten
 * yet (TIME_WAIT) are not in the way of the next. On bare sockets, so that they take little of the CPU that is there.
 */
const answers = new Map();
for (const exchange of Object.values(exchanges)) {
  const [kept, closing] = [false, true].map((closes) => answerBytes(exchange, { closes }));
  answers.set(exchange.path, { ...exchange, kept, closing });
}
const refusal = (why) => Buffer.from(`HTTP/1.1 500 ${why}\r\nContent-Length: 0\r\n\r\n`);

function serve(socket) {
  let head = '';
  /** Bytes of a request's body that are still to come, and what is answered then. */
  let left = 0;
  let answer;
  let closes = false;
  let echo;

  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    let from = 0;
    while (from < chunk.length) {
      if (echo !== undefined) return echo(from === 0 ? chunk : chunk.subarray(from));
      if (left > 0) {
        const taken = Math.min(left, chunk.length - from);
        left -= taken;
        from += taken;
        if (left === 0) reply();
        continue;
      }
      const before = head.length;
      head += chunk.latin1Slice(from, Math.min(chunk.length, from + 16_384));
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      from += end + 4 - before;
      begin(head.slice(0, end));
      head = '';
    }
  });

  function begin(request) {
    const [method, path] = request.split(' ', 2);
    closes = /\r\nconnection: *close/i.test(request);
    if (path === '/socket') {
      echo = upgrade(request);
      return;
    }
    const known = answers.get(path);
    left = Number(/\r\ncontent-length: *(\d+)/i.exec(request)?.[1] ?? 0);
    answer = check(known, method, request, left) ?? (closes ? known.closing : known.kept);
    if (left === 0) reply();
  }

  function reply() {
    socket.write(answer);
    if (closes) socket.end();
  }

  function upgrade(request) {
    const key = /\r\nsec-websocket-key: *(\S+)/i.exec(request)?.[1];
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`,
    );
    return unmasked(
      (frame) => socket.write(frame),
      () => socket.end(),
    );
  }
}

/** What is wrong with a request that has come through a contestant. */
function check(known, method, request, length) {
  if (known === undefined || method !== known.method) return refusal('Not what was asked');
  if (length !== (known.body ?? 0)) return refusal('Another length of the body');
  if (known.fields !== undefined && countRequestFields(request) !== known.fields) return refusal('Not all fields came');
  return undefined;
}

function open() {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, serve);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => resolve(server.address().port));
  });
}

process.on('disconnect', () => process.exit());
process.send({
  pairs: await Promise.all(Array.from({ length: Number(process.argv[2]) }, () => Promise.all([open(), open()]))),
});
