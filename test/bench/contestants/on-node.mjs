import { startNode } from '../processes/process.mjs';

/**
 * How a contestant that is a program of this folder is started, on the Node binary that was asked for.
 *
 * @param args before the members' ports
 */
export function onNode(name, ...args) {
  return async (members, { node, cpuProfiles }) => {
    const profiling = [
      '--cpu-prof',
      '--cpu-prof-interval=200',
      `--cpu-prof-dir=${cpuProfiles}`,
      `--cpu-prof-name=${name}.cpuprofile`,
    ];
    // Some packages use what Node has come to advise against, and say so on each start.
    const flags = ['--no-deprecation', ...(cpuProfiles === undefined ? [] : profiling)];
    const program = new URL(`${name}.mjs`, import.meta.url);
    const { child, message } = await startNode(program, [...args, ...members.map(String)], { node, flags });
    return { child, port: message.port };
  };
}
