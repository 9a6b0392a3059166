import { startNode } from '../processes/process.mjs';

/**
 * How a contestant that is a program of this folder is started, on the Node binary that was asked for.
 *
 * @param args before the members' ports
 * @param profile what a CPU profile of it is named after
 * @returns with whatever else the program has said of itself
 */
export function onNode(program, args = [], profile = program) {
  return async (members, { node, cpuProfiles }) => {
    const profiling = [
      '--cpu-prof',
      '--cpu-prof-interval=200',
      `--cpu-prof-dir=${cpuProfiles}`,
      `--cpu-prof-name=${profile}.cpuprofile`,
    ];
    // Some packages use what Node has come to advise against, and say so on each start.
    const flags = ['--no-deprecation', ...(cpuProfiles === undefined ? [] : profiling)];
    const file = new URL(`${program}.mjs`, import.meta.url);
    const { child, message } = await startNode(file, [...args, ...members.map(String)], { node, flags });
    return { child, ...message };
  };
}
