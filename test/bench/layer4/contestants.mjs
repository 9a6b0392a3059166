import { onNode } from '../contestants/on-node.mjs';
import { nodeVersion } from '../contestants/versions.mjs';
import { layer4Options } from './options.mjs';

const names = layer4Options.map(({ name }) => name);

/** evenkeel without any option, with all of them, and with each by itself. */
export function layer4Contestants(protocol) {
  return [
    contestant(protocol, 'none', 'none', []),
    contestant(protocol, 'all', 'all', names),
    ...names.map((name) => contestant(protocol, name, `${name} alone`, [name])),
  ];
}

function contestant(protocol, name, label, options) {
  const args = [protocol, options.length === 0 ? '-' : options.join(',')];
  return { name, label, version: nodeVersion, start: onNode('evenkeel-layer4', args, name) };
}
