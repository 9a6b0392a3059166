import { startHaproxy } from '../contestants/haproxy.mjs';
import { startNginxHttp } from '../contestants/nginx.mjs';
import { onNode } from '../contestants/on-node.mjs';
import { nodeVersion, packageVersion, programVersion } from '../contestants/versions.mjs';

/**
 * Who takes part, in the order of the tables. All spread requests round robin over the same two members, and keep connections to
 * them; `does` says whether a contestant takes part in a workload. A `peer` is a package for Node.
 */
export const contestants = [
  { name: 'evenkeel', label: 'evenkeel', version: nodeVersion, start: onNode('evenkeel', ['http']) },
  {
    name: 'evenkeel-tcp',
    label: 'evenkeel, TCP',
    version: nodeVersion,
    start: onNode('evenkeel', ['tcp']),
    does: (workload) => workload === 'download' || workload === 'upload',
  },
  peer('http-proxy'),
  peer('http-proxy-3'),
  peer('httpxy'),
  {
    ...peer('fast-proxy'),
    version: withUndici('fast-proxy', 'fast-proxy/node_modules/undici'),
    usesUndici: true,
    does: (workload) => workload !== 'websocket',
  },
  {
    ...peer('fastify-http-proxy'),
    label: '@fastify/http-proxy',
    version: withUndici('@fastify/http-proxy', 'undici'),
    usesUndici: true,
  },
  {
    name: 'nginx',
    label: 'nginx',
    version: programVersion('nginx', 'nginx', /nginx\/(\S+)/),
    start: startNginxHttp,
  },
  {
    name: 'haproxy',
    label: 'HAProxy',
    version: programVersion('haproxy', 'HAProxy', /version (\S+)/),
    start: startHaproxy('http'),
  },
];

function peer(name) {
  return { name, label: name, version: packageVersion(name), start: onNode(name), isPeer: true };
}

function withUndici(path, undici) {
  return () => `${packageVersion(path)()} (${packageVersion(undici)()})`;
}
