import { startHaproxy } from '../contestants/haproxy.mjs';
import { startNginxStream } from '../contestants/nginx.mjs';
import { onNode } from '../contestants/on-node.mjs';
import { nodeVersion, programVersion } from '../contestants/versions.mjs';

/** Who takes part, in the order of the tables. All spread connections round robin over the same two members. */
export const contestants = [
  { name: 'bare', label: 'bare relay', version: nodeVersion, start: onNode('bare-relay') },
  { name: 'evenkeel', label: 'evenkeel', version: nodeVersion, start: onNode('evenkeel', ['tcp']) },
  {
    name: 'haproxy',
    label: 'HAProxy',
    version: programVersion('haproxy', 'HAProxy', /version (\S+)/),
    start: startHaproxy('tcp'),
  },
  {
    name: 'nginx',
    label: 'nginx stream',
    version: programVersion('nginx', 'nginx', /nginx\/(\S+)/),
    start: startNginxStream,
  },
];
