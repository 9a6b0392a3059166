import { type Member, stateOf } from '../../core/member.ts';
import type { Pool } from '../../core/pool.ts';
import type { Checked } from '../health-checker.ts';
import { AgentView } from './agent-view.ts';

/** A pool whose agents are asked: an agent that does not answer changes nothing (HAProxy's rule), but can be seen. */
export function agentsOf<T>(pool: Pool<T>): Checked<T> {
  return {
    get members() {
      return pool.members;
    },
    on: pool.on.bind(pool),
    off: pool.off.bind(pool),
    recordCheck: (member: Member<T>, passed: boolean, reason: string) => {
      if (passed) return;
      const state = stateOf(member);
      state.agent ??= new AgentView();
      state.agent.failure = reason;
    },
  };
}
