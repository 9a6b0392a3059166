import type { Group, Row } from '../row.ts';
import { type Contestant, versionOf } from './contestants.ts';
import type { Verdict } from './judge.ts';

export interface Column {
  readonly contestant: Contestant;
  /** By the id of the row. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/** `docs/conformance.md`, as a whole. */
export function conformancePage(groups: readonly Group[], columns: readonly Column[]): string {
  const versions = columns.map(({ contestant }) => `${contestant.npmName} ${versionOf(contestant)}`);
  return `# Conformance of the HTTP proxy

<!-- Written by \`npm run conformance\`. Do not edit: the next run replaces it. -->

What a client and a member see of an HTTP proxy between them, byte by byte, where the proxy is evenkeel (\`protocol: 'http'\`) and
where it is another one that runs inside Node. Each row is played on sockets that say exactly what the row wants and record all that
comes back; \`test/conformance/rows\` has them. evenkeel's own tests play the same rows.

- ${versions.join(', ')}
- Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}

The proxies run as their documentation starts them, behind Node's \`http\` server with its defaults where they bring no server, each
in a process of its own. Upgrades are turned on, and \`xfwd\` is where a row is about \`X-Forwarded-*\`. evenkeel must answer with the
very status that a row names; for the others any status that refuses, or blames the member, will do. *hung* means that nothing
happened within the row's patience, *crashed* that the process died of it, and a dash that the proxy does not offer what the row is
about.

## Totals

${table(['', ...columns.map(titleOf)], totals(groups, columns))}

${groups.map((group) => section(group, columns)).join('\n')}`;
}

function titleOf({ contestant }: Column): string {
  return contestant.npmName;
}

function section({ title, note, rows }: Group, columns: readonly Column[]): string {
  const lines = rows.map((row) => [row.title, ...columns.map((column) => cell(row, column))]);
  return `## ${title}\n\n${note === undefined ? '' : `${note}\n\n`}${table(['', ...columns.map(titleOf)], lines)}\n`;
}

function cell({ id }: Row, { verdicts }: Column): string {
  const { outcome, reason } = verdictOf(verdicts, id);
  switch (outcome) {
    case 'pass':
      return 'pass';
    case 'not offered':
      return '–';
    case 'fail':
      return inCell(reason);
    case 'hung':
    case 'crashed':
      return inCell(reason.replace(outcome, `*${outcome}*`));
    default:
      return outcome satisfies never;
  }
}

function totals(groups: readonly Group[], columns: readonly Column[]): string[][] {
  const count = (rows: readonly Row[], { verdicts }: Column): string => {
    const outcomes = rows
      .map(({ id }) => verdictOf(verdicts, id).outcome)
      .filter((outcome) => outcome !== 'not offered');
    return `${outcomes.filter((outcome) => outcome === 'pass').length} of ${outcomes.length}`;
  };
  const lines = groups.map(({ title, rows }) => [title, ...columns.map((column) => count(rows, column))]);
  const all = groups.flatMap(({ rows }) => rows);
  return [...lines, ['**All**', ...columns.map((column) => `**${count(all, column)}**`)]];
}

function verdictOf(verdicts: ReadonlyMap<string, Verdict>, id: string): Verdict {
  const verdict = verdicts.get(id);
  if (verdict === undefined) throw new Error(`${id} was not played`);
  return verdict;
}

/** On one line, and nothing in it that Markdown would take for its own. */
function inCell(reason: string): string {
  const text = reason.length > 60 ? `${reason.slice(0, 59)}…` : reason;
  return text.replace(/[^\x20-\x7e–…]/g, '·').replace(/[|<]/g, '\\$&');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
