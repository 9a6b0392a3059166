import { machine } from './machine.mjs';
import { table } from './table.mjs';

/** What the parts of the page have in common. */

/** @param results of one benchmark, for each Node binary */
export function measuredOn(results) {
  const versions = results.flatMap(({ contestants }) => contestants.map(({ version }) => version));
  const missing = results.flatMap((result) => result.missing.map((label) => `${label} is not installed`));
  const lines = [...machine(), [...new Set([...versions, ...missing])].join(', ')];
  return `Measured on:\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

export function verdictTable(verdicts) {
  return table(
    ['', 'target', 'measured', ''],
    verdicts.map(({ what, target, measured, isMet }) => [what, target, measured, isMet ? 'met' : '**missed**']),
  );
}

export function profileText({ title, text }) {
  return `
#### Missed: ${title}

Where the time goes, by V8's sampling profiler in a run of its own:

${text}
`;
}
