import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, whenListening } from '../processes/free-port.mjs';
import { start } from '../processes/process.mjs';
import { scratchFolder } from '../processes/scratch.mjs';

/**
 * @param {'tcp' | 'http'} mode
 * @param certificate with which it ends TLS; undefined where it does not
 */
export function startHaproxy(mode, certificate) {
  return async (members) => {
    const port = await freePort();
    const file = join(scratchFolder(), 'haproxy.cfg');
    writeFileSync(file, config(mode, port, members, certificate));
    const child = start('haproxy', ['-db', '-f', file]);
    await whenListening(port, child);
    return { child, port };
  };
}

const config = (mode, port, [first, second], certificate) => `
global
  nbthread 1
  maxconn 8000
defaults
  mode ${mode}
  timeout connect 5s
  timeout client 50s
  timeout server 50s
${mode === 'http' ? http : ''}
listen bench
  bind 127.0.0.1:${port} backlog 4096${certificate === undefined ? '' : ` ssl crt ${certificate.both}`}
  balance roundrobin
  server first 127.0.0.1:${first}
  server second 127.0.0.1:${second}
`;

/**
 * As Octavia writes it, but that members' connections are shared among clients from the first request on, as the others do
 * (Octavia: \`safe\`).
 */
const http = `
  timeout tunnel 1h
  option http-keep-alive
  http-reuse always
`;
