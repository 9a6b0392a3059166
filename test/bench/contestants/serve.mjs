import { ServerResponse } from 'node:http';

/** For libraries that bring no server and know one target at a time: Node's server as it comes, and members in turn. */
const members = process.argv.slice(2).map((port) => ({ host: '127.0.0.1', port: Number(port) }));
let turn = 0;

export function nextMember() {
  const member = members[turn];
  turn = (turn + 1) % members.length;
  return member;
}

export const origins = members.map(({ host, port }) => `http://${host}:${port}`);

export function serve(server) {
  process.on('disconnect', () => process.exit());
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => process.send({ port: server.address().port }));
}

/** A request that failed must not pass for one that succeeded. */
export function giveUp(target) {
  if (target instanceof ServerResponse && !target.headersSent) target.writeHead(502).end();
  else target?.destroy();
}
