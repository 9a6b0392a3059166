import type { Member } from './member.ts';
import type { RefusalReason } from './refusal.ts';
import type { Roster } from './roster.ts';

/** Why a roster had no member for a client. O(n): for explaining, not for picking. */
export function whyNone<T>(roster: Roster<T>, exclude: readonly Member<T>[] | undefined): RefusalReason {
  const serving = roster.serving();
  if (serving.length === 0) return roster.failsTraffic ? 'panic' : 'no-eligible-member';
  const left = serving.filter((state) => exclude?.includes(state.member) !== true);
  if (left.length === 0) return 'members-tried';
  const withRoom = left.filter((state) => state.hasRoom);
  if (withRoom.some((state) => state.circuit?.permits(exclude !== undefined) !== false)) return 'none-picked';
  for (const state of left) state.counters.rejects++;
  return withRoom.length > 0 ? 'circuit-limits' : 'members-full';
}
