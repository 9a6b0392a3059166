import { once } from 'node:events';
import { ServerResponse } from 'node:http';

/**
 * Does what the report says: starts a proxy for a member, or closes the one there is. What a proxy throws and nobody catches ends
 * this process, and the report takes note.
 *
 * @typedef {{ port: number, close(): Promise<void> }} Serving
 * @param {(options: { member: { host: string, port: number }, inserts: boolean }) => Promise<Serving>} start
 */
export function serve(start) {
  /** @type {Serving | undefined} */
  let serving;
  process.on('message', async ({ member, inserts }) => {
    await serving?.close();
    serving = undefined;
    try {
      if (member !== undefined) serving = await start({ member, inserts });
      process.send({ port: serving?.port ?? 0 });
    } catch (error) {
      process.send({ failed: error.message });
    }
  });
  process.on('disconnect', () => process.exit());
}

/** What stands in front of a library that brings no server: Node's, as it comes. */
export async function serveBehind(server, closeProxy = () => {}) {
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      await closeProxy();
    },
  };
}

/** What a user's error handler would do at least, with a response or, for an upgrade, a socket. */
export function giveUp(target) {
  if (target instanceof ServerResponse && !target.headersSent) target.writeHead(502).end();
  else target?.destroy();
}
