import { parseArgs } from 'node:util';

/** What `npm run bench` consists of. */
const parts = ['picks', 'tcp', 'persistence', 'layer4', 'tls'];

/** What the programs of this folder understand on their command lines. */
export function readOptions() {
  const { values } = parseArgs({
    options: {
      /** Shorter rounds and fewer of them: about a minute for each part, for a look while working. */
      quick: { type: 'boolean', default: false },
      /** A Node binary for what runs on Node of the contestants; of several, one after another. */
      node: { type: 'string', multiple: true, default: [process.execPath] },
      /** Contestants, by name and separated by commas; not of picks and persistence. */
      only: { type: 'string' },
      /** Workloads, likewise. */
      workloads: { type: 'string' },
      /** For `npm run bench`: `--only-tcp` for one of its parts, or several of them. */
      ...Object.fromEntries(parts.map((part) => [`only-${part}`, { type: 'boolean', default: false }])),
      /** Of picks, the strategies, by name and separated by commas; `safeguards` and `hashring` count as such. */
      strategies: { type: 'string' },
      /** A folder for V8 CPU profiles of the contestants that run on Node. Profiling costs: do not read the figures of such a run. */
      'cpu-prof': { type: 'string' },
    },
  });
  const wanted = parts.filter((part) => values[`only-${part}`]);
  return {
    quick: values.quick,
    nodes: values.node,
    only: values.only?.split(','),
    workloads: values.workloads?.split(','),
    parts: new Set(wanted.length === 0 ? parts : wanted),
    strategies: values.strategies?.split(','),
    cpuProfiles: values['cpu-prof'],
  };
}

/** The same options for each Node binary that was asked for. */
export function perNode({ nodes, ...options }) {
  return nodes.map((node) => ({ ...options, node }));
}

/** Whether a module is the program itself, and not a part of a larger run. */
export function isProgram(meta) {
  return process.argv[1] !== undefined && meta.filename === process.argv[1];
}
