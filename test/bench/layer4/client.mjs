import { connect } from 'node:net';
import { closedLoop } from '../tcp/loops.mjs';
import { obey } from '../tcp/obey.mjs';

/** The clients of both workloads. With `isProxied` each connection begins with a header of the PROXY protocol, from an address of its own. */
const host = '127.0.0.1';

/** As `setup` of TCP: connect, 64 bytes there, 64 back, close. */
function connections({ port, milliseconds, isProxied }) {
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
    socket.write(isProxied ? Buffer.concat([proxyHeader(), request]) : request);
  });
}

const ask = Buffer.from('GET /bench HTTP/1.1\r\nHost: bench.test\r\n\r\n');
const ok = 'HTTP/1.1 200 ';
/** What answers end with. */
const lastByte = '!'.charCodeAt(0);

/** Requests of HTTP on 32 connections that stay. */
async function requests({ port, milliseconds, isProxied }) {
  const sockets = await Promise.all(
    Array.from({ length: 32 }, async () => {
      const socket = connect({ port, host, noDelay: true });
      if (isProxied) socket.write(proxyHeader());
      await answered(socket);
      return socket;
    }),
  );
  const idle = [...sockets];
  const units = await closedLoop(sockets.length, milliseconds, (done, failed) => {
    const socket = idle.pop();
    answered(socket).then(() => {
      idle.push(socket);
      done();
    }, failed);
  });
  for (const socket of sockets) socket.destroy();
  return units;
}

function answered(socket) {
  return new Promise((resolve, reject) => {
    let head = '';
    const settled = (error) => {
      socket.removeAllListeners();
      // Of no more interest until the next request, which would come to nothing.
      socket.on('error', () => {});
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.on('data', (chunk) => {
      if (head === '') head = chunk.latin1Slice(0, ok.length);
      if (head !== ok) settled(new Error(`the answer began with "${head}"`));
      else if (chunk.at(-1) === lastByte) settled();
    });
    socket.on('error', settled);
    socket.on('close', () => settled(new Error('closed without an answer')));
    socket.write(ask);
  });
}

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
let clients = 0;

/** Version 2, PROXY, TCP over IPv4, from one of 65,536 addresses. */
function proxyHeader() {
  const header = Buffer.alloc(28);
  signature.copy(header);
  header.writeUInt32BE(0x2111000c, 12);
  header.writeUInt32BE(0xc6120000 + (clients++ & 0xffff), 16);
  header.writeUInt32BE(0x7f000001, 20);
  header.writeUInt32BE(0xc35001bb, 24);
  return header;
}

obey({ connections, requests });
