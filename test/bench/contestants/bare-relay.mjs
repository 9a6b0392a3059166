import { connect, createServer } from 'node:net';

/** The floor of the runtime: two sockets and two pipes, nothing else. It loses replies after a half-close, and does not redispatch. */
const members = process.argv.slice(2).map(Number);
let turn = 0;

const server = createServer((client) => {
  const member = connect(members[turn], '127.0.0.1');
  turn = (turn + 1) % members.length;
  client.pipe(member);
  member.pipe(client);
  client.on('error', () => member.destroy());
  member.on('error', () => client.destroy());
});

process.on('disconnect', () => process.exit());
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => process.send({ port: server.address().port }));
