import type { Member } from './member.ts';
import type { RefusalReason } from './refusal.ts';
import type { Roster } from './roster.ts';

/** Why a roster had no member for a client. O(1) where all are full, so that refusing under load costs little; else O(n). */
export function whyNone<T>(roster: Roster<T>, exclude: readonly Member<T>[] | undefined): RefusalReason {
  if (exclude === undefined && roster.isFull) return 'members-full';
  const serving = roster.serving();
  if (serving.length === 0) return roster.failsTraffic ? 'panic' : 'no-eligible-member';
  const left = serving.filter((state) => exclude?.includes(state.member) !== true);
  if (left.length === 0) return 'members-tried';
  const withRoom = left.filter((state) => state.hasRoom);
  if (withRoom.length === 0) return 'members-full';
  return withRoom.some((state) => state.circuit?.permits(exclude !== undefined) !== false)
    ? 'none-picked'
    : 'circuit-limits';
}
