import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:tls';

/** The floor of the runtime: Node's TLS server as it comes, and two pipes. As `bare-relay.mjs`, it does not care about much. */
const [certFile, keyFile, ...ports] = process.argv.slice(2);
const members = ports.map(Number);
let turn = 0;

const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (client) => {
  const member = connect(members[turn], '127.0.0.1');
  turn = (turn + 1) % members.length;
  client.pipe(member);
  member.pipe(client);
  client.on('error', () => member.destroy());
  member.on('error', () => client.destroy());
});

process.on('disconnect', () => process.exit());
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => process.send({ port: server.address().port }));
