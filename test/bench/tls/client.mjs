import { once } from 'node:events';
import { connect, createSecureContext } from 'node:tls';
import { closedLoop, header, inParallel } from '../tcp/loops.mjs';
import { obey } from '../tcp/obey.mjs';

/**
 * The clients of all workloads. They leave servers no choice of cipher and key exchange, so that all compute the same, and look at what was
 * agreed upon; whom they have before them they do not care.
 */
const ciphers = {
  'TLSv1.3': ['TLS_AES_128_GCM_SHA256'],
  'TLSv1.2': ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
};
const group = 'X25519';
/** The other one is that of certificates, without which a server of TLS 1.2 must not show them. */
const groups = `${group}:P-256`;

const contexts = Object.fromEntries(
  Object.entries(ciphers).map(([version, names]) => [
    version,
    createSecureContext({
      minVersion: version,
      maxVersion: version,
      ciphers: names.join(':'),
      ecdhCurve: groups,
      ca: [],
    }),
  ]),
);

/** A connection that counts only if its handshake was what was asked for. */
function open(port, version, session) {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'bench.test',
    secureContext: contexts[version],
    rejectUnauthorized: false,
    session,
  });
  socket.setNoDelay();
  socket.once('secureConnect', () => {
    const { name } = socket.getCipher();
    // With TLS 1.2, a session that is resumed has no exchange.
    const { name: exchange = group } = socket.getEphemeralKeyInfo();
    const isResumed = socket.isSessionReused();
    if (socket.getProtocol() !== version || !ciphers[version].includes(name) || exchange !== group) {
      socket.destroy(new Error(`agreed upon ${socket.getProtocol()}, ${name} and ${exchange}`));
    } else if (isResumed !== (session !== undefined)) {
      socket.destroy(new Error(`the session was ${isResumed ? '' : 'not '}resumed`));
    }
  });
  return socket;
}

async function handshakes({ port, milliseconds, version, resumes }) {
  const request = Buffer.alloc(64, 'e');
  // One ticket does for all of them: a server that keeps nothing cannot tell that it has seen it.
  const session = resumes ? await sessionOf(port, version, request) : undefined;
  return closedLoop(32, milliseconds, (done, failed) => {
    let received = 0;
    const socket = open(port, version, session);
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

/** With TLS 1.3 the ticket comes after the handshake. */
async function sessionOf(port, version, request) {
  const socket = open(port, version);
  socket.write(request);
  const signal = AbortSignal.timeout(5000);
  const [[session]] = await Promise.all([once(socket, 'session', { signal }), once(socket, 'data', { signal })]);
  socket.end();
  await once(socket, 'close', { signal });
  return session;
}

/** Bytes from the member to the client, on 4 connections at a time. */
function download({ port, bytes, version }) {
  return inParallel(4, (resolve, reject) => {
    let left = bytes;
    const socket = open(port, version);
    socket.on('data', (chunk) => {
      left -= chunk.length;
      if (left === 0) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () =>
      left === 0 ? resolve(bytes) : reject(new Error(`${left} bytes of the download are missing`)),
    );
    socket.write(header('d', bytes));
  });
}

/** Bytes from the client to the member, on 4 connections at a time. */
function upload({ port, bytes, version }) {
  const block = Buffer.alloc(65_536, 'x');
  return inParallel(4, (resolve, reject) => {
    let left = bytes;
    let isConfirmed = false;
    const socket = open(port, version);
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

obey({ handshakes, download, upload });
