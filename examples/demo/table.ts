import type { Member, Pool, Stats } from 'evenkeel';

const barWidth = 20;

/** What a table says of each member beside its address and status. */
export interface Column {
  readonly title: string;
  readonly width: number;
  text(stats: Stats): string;
}

/** The members of a pool and what they did, as lines of text. */
export function table(pool: Pool, columns: readonly Column[], share: (member: Member) => number): string[] {
  const titles = columns.map(({ title, width }) => title.padStart(width));
  return [
    ['  member', 'address'.padEnd(15), 'status'.padEnd(8), 'share'.padEnd(barWidth + 5), ...titles].join('  '),
    ...pool.members.map((member) => {
      const { id, address, port, status, stats } = member;
      return [
        `  ${id.padEnd(6)}`,
        `${address}:${port}`.padEnd(15),
        status.padEnd(8),
        `${bar(share(member))} ${percent(share(member))}`,
        ...columns.map((column) => column.text(stats).padStart(column.width)),
      ].join('  ');
    }),
  ];
}

/** The shares of all members in words. */
export function shares(pool: Pool, share: (member: Member) => number): string {
  return pool.members.map((member) => `${member.id} ${percent(share(member)).trim()}`).join(', ');
}

function bar(share: number): string {
  return '█'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '·');
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`.padStart(4);
}
