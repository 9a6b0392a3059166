import { readFileSync } from 'node:fs';
import type { Feature } from '../row.ts';

export interface Contestant {
  /** Of its program in `proxies`. */
  readonly name: string;
  /** As npm knows it. */
  readonly npmName: string;
  readonly offers: readonly Feature[];
}

const all: readonly Feature[] = ['upgrades', 'insertion'];

export const contestants: readonly Contestant[] = [
  { name: 'evenkeel', npmName: 'evenkeel', offers: all },
  { name: 'http-proxy', npmName: 'http-proxy', offers: all },
  { name: 'http-proxy-3', npmName: 'http-proxy-3', offers: all },
  { name: 'httpxy', npmName: 'httpxy', offers: all },
  { name: 'fast-proxy', npmName: 'fast-proxy', offers: [] },
  { name: 'fastify-http-proxy', npmName: '@fastify/http-proxy', offers: ['upgrades'] },
];

/** Where the repository is, seen from here as well as from where this is compiled to. */
export const root: URL = new URL('../../../', import.meta.url);

export function versionOf({ name, npmName }: Contestant): string {
  const path = name === 'evenkeel' ? 'package.json' : `node_modules/${npmName}/package.json`;
  return JSON.parse(readFileSync(new URL(path, root), 'utf8')).version;
}
