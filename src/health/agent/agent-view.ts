import { unlimited } from '../../core/member-spec.ts';
import type { AgentHealth, AgentMode, AgentReport } from './agent-report.ts';

/** What a member's agent has said so far. */
export interface AgentStatus {
  /** What of its weight the member wants; 100 until the agent says otherwise. */
  readonly weightPercent: number;
  /** The most connections it wants to hold; undefined for any number. */
  readonly maxConnections: number | undefined;
  readonly mode: AgentMode;
  readonly health: AgentHealth;
  /** Why it is so, in the agent's words; empty where it has none. */
  readonly comment: string;
  /** Why the last question had no proper answer; undefined where it had one. */
  readonly failure: string | undefined;
}

/**
 * A member as its agent describes it: an axis of its own beside what its owner wants and what checks find. Only the agent takes
 * back what it has said.
 */
export class AgentView implements AgentStatus {
  weightPercent = 100;
  limit: number = unlimited;
  mode: AgentMode = 'ready';
  health: AgentHealth = 'up';
  comment = '';
  failure: string | undefined;

  get maxConnections(): number | undefined {
    return this.limit === unlimited ? undefined : this.limit;
  }

  get isDown(): boolean {
    return this.health !== 'up';
  }

  /** In words. */
  get reason(): string {
    return this.comment === '' ? `agent: ${this.health}` : `agent: ${this.health} (${this.comment})`;
  }

  hear(report: AgentReport): void {
    this.weightPercent = report.weightPercent ?? this.weightPercent;
    this.limit = report.maxConnections ?? this.limit;
    this.mode = report.mode ?? this.mode;
    if (report.health !== undefined) {
      this.health = report.health;
      this.comment = report.comment;
    }
    this.failure = report.error;
  }

  /** HAProxy rounds down; here what is asked to carry something carries something, also of a weight of 1. */
  weightOf(weight: number): number {
    if (weight === 0 || this.weightPercent === 0) return 0;
    return Math.min(256, Math.max(1, Math.floor((weight * this.weightPercent) / 100)));
  }
}
