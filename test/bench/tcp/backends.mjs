import { createServer } from 'node:net';

/**
 * Both members, in one process; each has a door for every contestant, so that connections of one that the kernel has not
 * forgotten yet (TIME_WAIT) are not in the way of the next. What a client wants is said by the first byte it sends, so that contestants have the same two
 * members whatever the workload: `e` has every byte echoed; `d` and `u` are followed by a number of bytes to send down, or to
 * take and confirm with one; `G` begins a request of HTTP, each of which has the same answer. A header of the PROXY protocol (version
 * 2) in front of it is skipped.
 */
const block = Buffer.alloc(65_536, 'x');

const proxyHeader = 0x0d;
const endOfHead = Buffer.from('\n\r\n');
const body = `${'x'.repeat(63)}!`;
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
);

function serve(socket) {
  socket.on('error', () => socket.destroy());
  socket.once('data', (bytes) => {
    const first = bytes[0] === proxyHeader ? bytes.subarray(16 + bytes.readUInt16BE(14)) : bytes;
    if (first.length === 0) return serve(socket);
    const kind = String.fromCharCode(first[0]);
    if (kind === 'e') {
      socket.write(first);
      socket.on('data', (chunk) => socket.write(chunk));
    } else if (kind === 'G') {
      answerTo(first, socket);
      socket.on('data', (chunk) => answerTo(chunk, socket));
    } else if (kind === 'd') {
      sendDown(socket, first.readDoubleBE(8));
    } else {
      takeUp(socket, first.readDoubleBE(8), first.length - 16);
    }
  });
}

/** Nobody asks again before it has an answer, so that a chunk that ends with a head is all of a request. */
function answerTo(chunk, socket) {
  if (chunk.subarray(-3).equals(endOfHead)) socket.write(answer);
}

function sendDown(socket, total) {
  let left = total;
  const more = () => {
    while (left > 0) {
      const size = Math.min(left, block.length);
      left -= size;
      if (!socket.write(size === block.length ? block : block.subarray(0, size))) return;
    }
  };
  socket.on('drain', more);
  more();
}

function takeUp(socket, total, already) {
  let left = total - already;
  socket.on('data', (chunk) => {
    left -= chunk.length;
    if (left === 0) socket.write('k');
  });
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
