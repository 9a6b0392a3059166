import { startHaproxy } from '../contestants/haproxy.mjs';
import { startNginxTls } from '../contestants/nginx.mjs';
import { onNode } from '../contestants/on-node.mjs';
import { nodeVersion, programVersion } from '../contestants/versions.mjs';

/** Who takes part, in the order of the tables: all end TLS with the same certificate, and forward as the contestants of TCP do. */
export function tlsContestants(certificate) {
  const { cert, key } = certificate;
  return [
    { name: 'bare', label: 'bare relay', version: nodeVersion, start: onNode('tls-relay', [cert, key]) },
    { name: 'evenkeel', label: 'evenkeel', version: nodeVersion, start: onNode('evenkeel-tls', ['tcp', cert, key]) },
    {
      name: 'haproxy',
      label: 'HAProxy',
      version: programVersion('haproxy', 'HAProxy', /version (\S+)/),
      start: startHaproxy('tcp', certificate),
    },
    {
      name: 'nginx',
      label: 'nginx stream',
      version: programVersion('nginx', 'nginx', /nginx\/(\S+)/),
      start: startNginxTls(certificate),
    },
  ];
}
