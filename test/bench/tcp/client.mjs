import { connect } from 'node:net';
import { closedLoop, header, inParallel } from './loops.mjs';
import { obey } from './obey.mjs';

/** The clients of all workloads, in one process: `process.send()` brings an order, and takes back how many units were done. */
const host = '127.0.0.1';
const workloads = { setup, pingpong, download, upload, hold, drop };

/** Short connections: connect, 64 bytes there, 64 back, close. */
function setup({ port, milliseconds }) {
  const request = Buffer.alloc(64, 'e');
  return closedLoop(32, milliseconds, (done, failed) => {
    let received = 0;
    const socket = connect({ port, host, noDelay: true });
    socket.on('data', (chunk) => {
      received += chunk.length;
      if (received === request.length) socket.end();
    });
    socket.on('error', failed);
    socket.on('close', () => {
      if (received === request.length) done();
      else failed(new Error(`the reply had ${received} of ${request.length} bytes`));
    });
    socket.write(request);
  });
}

/** 128 bytes to and fro on 32 connections that stay. */
async function pingpong({ port, milliseconds }) {
  const request = Buffer.alloc(128, 'e');
  const idle = await Promise.all(Array.from({ length: 32 }, () => opened(port)));
  const sockets = [...idle];
  const units = await closedLoop(sockets.length, milliseconds, (done, failed) => {
    const socket = idle.pop();
    let received = 0;
    socket.once('error', failed);
    socket.on('data', (chunk) => {
      received += chunk.length;
      if (received < request.length) return;
      socket.removeAllListeners();
      idle.push(socket);
      done();
    });
    socket.write(request);
  });
  await closed(sockets);
  return units;
}

/** Bytes from the member to the client, on 4 connections at a time. */
function download({ port, bytes }) {
  return inParallel(4, (resolve, reject) => {
    let left = bytes;
    const onread = {
      // One buffer for all that is read: the client should not be what takes the CPU.
      buffer: Buffer.allocUnsafeSlow(262_144),
      callback: (size) => {
        left -= size;
        if (left === 0) socket.end();
        return true;
      },
    };
    const socket = connect({ port, host, onread });
    socket.on('error', reject);
    socket.on('close', () =>
      left === 0 ? resolve(bytes) : reject(new Error(`${left} bytes of the download are missing`)),
    );
    socket.write(header('d', bytes));
  });
}

/** Bytes from the client to the member, on 4 connections at a time. */
function upload({ port, bytes }) {
  const block = Buffer.alloc(65_536, 'x');
  return inParallel(4, (resolve, reject) => {
    let left = bytes;
    let isConfirmed = false;
    const socket = connect({ port, host });
    const more = () => {
      while (left > 0) {
        left -= block.length;
        if (!socket.write(block)) return;
      }
    };
    socket.on('drain', more);
    socket.on('data', () => {
      isConfirmed = true;
      socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => (isConfirmed ? resolve(bytes) : reject(new Error('the upload was not confirmed'))));
    socket.write(header('u', bytes));
    more();
  });
}

let held = [];

/** Opens connections that stay; each has had 64 bytes there and back. */
async function hold({ port, connections }) {
  const request = Buffer.alloc(64, 'e');
  // A few at a time, so that no queue of connects overflows.
  for (let from = 0; from < connections; from += 50) {
    const batch = await Promise.all(Array.from({ length: Math.min(50, connections - from) }, () => opened(port)));
    await Promise.all(
      batch.map(
        (socket) =>
          new Promise((resolve, reject) => {
            socket.once('error', reject);
            socket.once('data', resolve);
            socket.write(request);
          }),
      ),
    );
    held.push(...batch);
  }
  return held.length;
}

async function drop() {
  const sockets = held;
  held = [];
  await closed(sockets);
  return sockets.length;
}

function opened(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      resolve(socket);
    });
  });
}

async function closed(sockets) {
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve) => {
          socket.removeAllListeners();
          socket.on('error', () => {});
          socket.on('close', resolve);
          socket.resume();
          socket.end();
        }),
    ),
  );
}

obey(workloads);
