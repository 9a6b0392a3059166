import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../scratch.mjs';
import { start } from '../tcp/process.mjs';
import { freePort, whenListening } from './free-port.mjs';

/** Where Debian keeps the module of `libnginx-mod-stream`; elsewhere it may be built in. */
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

export async function startNginx(members) {
  const port = await freePort();
  const folder = scratchFolder();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config(folder, port, members));
  const child = start('nginx', ['-e', 'stderr', '-p', folder, '-c', file]);
  await whenListening(port, child);
  return { child, port };
}

const config = (folder, port, [first, second]) => `
${existsSync(streamModule) ? `load_module ${streamModule};` : ''}
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 16384; }
stream {
  upstream members {
    server 127.0.0.1:${first};
    server 127.0.0.1:${second};
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_pass members;
    proxy_connect_timeout 5s;
    proxy_timeout 50s;
  }
}
`;
