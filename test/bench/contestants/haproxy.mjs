import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../scratch.mjs';
import { start } from '../tcp/process.mjs';
import { freePort, whenListening } from './free-port.mjs';

export async function startHaproxy(members) {
  const port = await freePort();
  const file = join(scratchFolder(), 'haproxy.cfg');
  writeFileSync(file, config(port, members));
  const child = start('haproxy', ['-db', '-f', file]);
  await whenListening(port, child);
  return { child, port };
}

const config = (port, [first, second]) => `
global
  nbthread 1
  maxconn 8000
defaults
  mode tcp
  timeout connect 5s
  timeout client 50s
  timeout server 50s
listen bench
  bind 127.0.0.1:${port} backlog 4096
  balance roundrobin
  server first 127.0.0.1:${first}
  server second 127.0.0.1:${second}
`;
