import type { Member, Pool } from 'evenkeel';

const barWidth = 20;

/** The members of a pool and what they did, as lines of text. */
export function table(pool: Pool): string[] {
  return [
    '  member  address          status    active   total  share                      bytes out  connects failed',
    ...pool.members.map((member) => row(member, shareOf(member, pool))),
  ];
}

function row({ id, address, port, status, stats }: Member, share: number): string {
  const { activeConnections, totalConnections, bytesOut, connectFailures } = stats;
  return [
    `  ${id.padEnd(6)}`,
    `${address}:${port}`.padEnd(15),
    status.padEnd(8),
    String(activeConnections).padStart(6),
    String(totalConnections).padStart(6),
    `${bar(share)} ${percent(share)}`,
    `${(bytesOut / 1e6).toFixed(1)} MB`.padStart(9),
    String(connectFailures).padStart(15),
  ].join('  ');
}

/** The part of all connections that this member has got. */
export function shareOf(member: Member, pool: Pool): number {
  return member.stats.totalConnections / Math.max(1, pool.stats.totalConnections);
}

function bar(share: number): string {
  return '█'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '·');
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}%`.padStart(4);
}
