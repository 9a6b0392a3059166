import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';

/** evenkeel as it comes, ending TLS. */
const [protocol, certFile, keyFile, ...ports] = process.argv.slice(2);
const members = ports.map((port) => `127.0.0.1:${port}`);
const tls = { certificates: { certFile, keyFile } };
const listener = await listen(createVip({ address: '127.0.0.1', port: 0, protocol, tls, pool: { members } }));

process.on('disconnect', () => process.exit());
process.send({ port: listener.address.port });
