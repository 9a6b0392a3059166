/** Milliseconds for which a member keeps a connection, as its `Keep-Alive` field says, less one second for what is on its way. */
export function keepAliveHint(keepAlive: string | undefined): number {
  if (keepAlive === undefined) return Number.POSITIVE_INFINITY;
  const seconds = /(?:^|[,;\s])timeout=(\d{1,9})\b/i.exec(keepAlive)?.[1];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Number(seconds) * 1000 - 1000);
}
