import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, whenListening } from '../processes/free-port.mjs';
import { start } from '../processes/process.mjs';
import { scratchFolder } from '../processes/scratch.mjs';

/** Where Debian keeps the module of `libnginx-mod-stream`; elsewhere it may be built in. */
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

export const startNginxStream = (members) => startNginx(members, stream);
/** @param certificate with which it ends TLS */
export const startNginxTls = (certificate) => (members) =>
  startNginx(members, (port, ports) => stream(port, ports, certificate));
export const startNginxHttp = (members) => startNginx(members, http);

async function startNginx(members, section) {
  const port = await freePort();
  const folder = scratchFolder();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config(folder, section(port, members)));
  const child = start('nginx', ['-e', 'stderr', '-p', folder, '-c', file]);
  await whenListening(port, child);
  return { child, port };
}

const config = (folder, section) => `
${existsSync(streamModule) ? `load_module ${streamModule};` : ''}
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 16384; }
${section}
`;

const stream = (port, [first, second], certificate) => `
stream {
  upstream members {
    server 127.0.0.1:${first};
    server 127.0.0.1:${second};
  }
  server {
    listen 127.0.0.1:${port}${certificate === undefined ? '' : ' ssl'} backlog=4096;
    ${certificate === undefined ? '' : tls(certificate)}
    proxy_pass members;
    proxy_connect_timeout 5s;
    proxy_timeout 50s;
  }
}
`;

const tls = ({ cert, key }) => `ssl_certificate ${cert}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3;`;

/** Connections to members are kept, also beyond the thousand requests after which nginx closes them, and bodies go through as they come. */
const http = (port, [first, second]) => `
http {
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade {
    default upgrade;
    '' '';
  }
  upstream members {
    server 127.0.0.1:${first};
    server 127.0.0.1:${second};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://members;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      proxy_connect_timeout 5s;
      proxy_read_timeout 50s;
      proxy_send_timeout 50s;
    }
  }
}
`;
