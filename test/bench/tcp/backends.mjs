import { createServer } from 'node:net';

/**
 * Both members, in one process; each has a door for every contestant, so that connections of one that the kernel has not
 * forgotten yet (TIME_WAIT) are not in the way of the next. What a client wants is said by the first byte it sends, so that contestants have the same two
 * members whatever the workload: `e` has every byte echoed; `d` and `u` are followed by a number of bytes to send down, or to
 * take and confirm with one.
 */
const block = Buffer.alloc(65_536, 'x');

function serve(socket) {
  socket.on('error', () => socket.destroy());
  socket.once('data', (first) => {
    const kind = String.fromCharCode(first[0]);
    if (kind === 'e') {
      socket.write(first);
      socket.on('data', (chunk) => socket.write(chunk));
    } else if (kind === 'd') {
      sendDown(socket, first.readDoubleBE(8));
    } else {
      takeUp(socket, first.readDoubleBE(8), first.length - 16);
    }
  });
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
