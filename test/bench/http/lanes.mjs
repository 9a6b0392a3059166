import { connect } from 'node:net';
import { AnswerReader } from './answer-reader.mjs';
import { echoFrame, exchanges, expectedAccept, maskedFrame, requestBytes, upgradeBytes } from './messages.mjs';

/** One buffer for all that is read: it is dealt with before the next is, and the client should not be what takes the CPU. */
const buffer = Buffer.allocUnsafeSlow(262_144);
const nothing = Buffer.alloc(0);

/** Does one request at a time: `start()`, and then `done` or `failed` is called, which whoever drives it has set. */
class Lane {
  done = () => {};
  failed = () => {};
  #sockets = new Set();

  connect(port, take) {
    const callback = (size) => {
      try {
        take(size);
      } catch (error) {
        this.failed(error);
        socket.destroy();
      }
      return true;
    };
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } });
    this.#sockets.add(socket);
    socket.on('error', (error) => this.failed(error));
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /**
   * Waits until all connections are closed, and rejects where one stays open for all that.
   *
   * @param ends whether it is this side that closes first
   */
  async closed({ ends }) {
    this.failed = () => {};
    const closing = [...this.#sockets].map(
      (socket) =>
        new Promise((resolve, reject) => {
          socket.on('close', resolve);
          setTimeout(() => reject(new Error('a connection stays open after its end')), 2000).unref();
          if (ends) socket.end();
        }),
    );
    await Promise.all(closing);
  }

  drop() {
    this.done = () => {};
    this.failed = () => {};
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Requests on a connection that stays. */
class KeptLane extends Lane {
  #socket;
  #request;
  #isWaiting = false;

  constructor(exchange, port) {
    super();
    const reader = new AnswerReader(exchange);
    this.#request = requestBytes(exchange, port);
    this.#socket = this.connect(port, (size) => {
      if (!this.#isWaiting) throw new Error('an answer that nobody asked for');
      if (!reader.take(buffer, size)) return;
      this.#isWaiting = false;
      this.done();
    });
    this.#socket.on('close', () => this.failed(new Error('closed a connection that was to be kept')));
  }

  open() {
    return new Promise((resolve, reject) => {
      this.done = resolve;
      this.failed = reject;
      this.start();
    });
  }

  start() {
    this.#isWaiting = true;
    this.#socket.write(this.#request);
  }

  close() {
    return this.closed({ ends: true });
  }
}

/** A connection for every request, which the contestant closes after its answer. */
class OneRequestLane extends Lane {
  #exchange;
  #port;
  #request;

  constructor(exchange, port) {
    super();
    this.#exchange = exchange;
    this.#port = port;
    this.#request = requestBytes(exchange, port);
  }

  open() {}

  start() {
    const reader = new AnswerReader(this.#exchange);
    let isDone = false;
    const socket = this.connect(this.#port, (size) => {
      if (!reader.take(buffer, size)) return;
      isDone = true;
      this.done();
    });
    socket.on('close', () => {
      if (!isDone) this.failed(new Error('closed a connection without an answer'));
    });
    socket.write(this.#request);
  }

  close() {
    return this.closed({ ends: false });
  }
}

/** Messages to and fro on a WebSocket. */
class WebSocketLane extends Lane {
  #socket;
  #hasSwitched = false;
  #received = nothing;

  constructor(port) {
    super();
    this.#socket = this.connect(port, (size) => this.#take(Buffer.from(buffer.subarray(0, size))));
    this.#socket.on('close', () => this.failed(new Error('closed a WebSocket')));
    this.#socket.write(upgradeBytes(port));
  }

  open() {
    return new Promise((resolve, reject) => {
      this.failed = reject;
      this.done = () => {
        this.done = resolve;
        this.start();
      };
    });
  }

  start() {
    this.#socket.write(maskedFrame);
  }

  close() {
    return this.closed({ ends: true });
  }

  #take(chunk) {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    if (!this.#hasSwitched) return this.#switch();
    if (this.#received.length < echoFrame.length) return;
    if (!this.#received.equals(echoFrame)) throw new Error('the echo is not what was sent');
    this.#received = nothing;
    this.done();
  }

  #switch() {
    const head = this.#received.latin1Slice();
    if (!head.includes('\r\n\r\n')) return;
    if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(`: ${expectedAccept}\r\n`))
      throw new Error(`no WebSocket: ${head.split('\r\n', 1)[0]}`);
    if (!head.endsWith('\r\n\r\n')) throw new Error('bytes on a WebSocket that nobody asked for');
    this.#hasSwitched = true;
    this.#received = nothing;
    this.done();
  }
}

export function makeLanes({ workload, port, count }) {
  return Array.from({ length: count }, () => {
    if (workload === 'websocket') return new WebSocketLane(port);
    const exchange = exchanges[workload];
    return exchange.closes ? new OneRequestLane(exchange, port) : new KeptLane(exchange, port);
  });
}
