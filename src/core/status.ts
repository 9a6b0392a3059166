/**
 * Operating statuses, named as in Octavia; `docs/octavia.md` lists where evenkeel decides otherwise.
 *
 * - `online`: takes new clients (a monitored member is online from its creation until a check fails)
 * - `draining`: keeps its clients and takes no new ones (weight 0, or `drain()`)
 * - `offline`: disabled by its owner
 * - `error`: its health monitor says that it is down
 * - `no-monitor`: takes new clients, and nobody checks it
 */
export type MemberStatus = 'online' | 'offline' | 'draining' | 'error' | 'no-monitor';

/**
 * The status of what is made of members.
 *
 * - `online`: serves clients, nothing to report
 * - `degraded`: serves clients, yet a part of it is down or full
 * - `error`: cannot serve
 * - `offline`: disabled by its owner
 */
export type OperatingStatus = 'online' | 'degraded' | 'error' | 'offline';

/** How a status came to change, for an event. */
export interface StatusChange<Status> {
  readonly from: Status;
  readonly to: Status;
}
