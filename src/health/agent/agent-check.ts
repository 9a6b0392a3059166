import { SpecError } from '../../core/errors.ts';
import { duration, Fields, integer, number } from '../../core/spec.ts';
import type { CheckPace } from '../monitor-spec.ts';

/** Whether and how members' agents are asked how they are: HAProxy's agent check. */
export interface AgentCheckSpec {
  /** The TCP port of the agent of each member that does not say `agentPort`, 1 to 65535. Default: those have none. */
  readonly port?: number | null;
  /** What is sent when the connection stands, up to 1024 characters, with the line's end where there is to be one. Default: nothing. */
  readonly send?: string | null;
  /** Milliseconds from the start of one question to a member's agent to the start of its next, 1 to 2147483647. Default 2000. */
  readonly delay?: number | null;
  /** Milliseconds after which an agent that has not answered is given up, 1 to 2147483647. Default: `delay`. */
  readonly timeout?: number | null;
  /** As a health monitor's. */
  readonly jitter?: number | null;
  /** The most agents of this pool that are asked at a time, 1 to 65536. Default 64. */
  readonly maxConcurrentChecks?: number | null;
}

/** A checked agent check. Flat: its fields are compared with `===`. */
export interface AgentCheck extends CheckPace {
  readonly type: 'agent';
  readonly port: number | undefined;
  readonly send: string | undefined;
}

const names = ['port', 'send', 'delay', 'timeout', 'jitter', 'maxConcurrentChecks'] as const;
const longestQuestion = 1024;

export function readAgentCheck(value: unknown, path: string): AgentCheck {
  const fields = new Fields(value, path, names);
  const delay = fields.read('delay', duration(1), 2000);
  return {
    type: 'agent',
    port: fields.read('port', integer(1, 65_535), undefined),
    send: fields.read('send', question, undefined),
    delay,
    fastDelay: delay,
    downDelay: delay,
    jitter: fields.read('jitter', number(0, 50, 'a percentage'), 0),
    timeout: fields.read('timeout', duration(1), delay),
    maxConcurrentChecks: fields.read('maxConcurrentChecks', integer(1, 65_536), 64),
  };
}

function question(value: unknown, path: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= longestQuestion) return value;
  throw new SpecError(path, value, `a text of 1 to ${longestQuestion} characters`);
}
