import { printable } from '../../core/errors.ts';
import { unlimited } from '../../core/member-spec.ts';

/** Whether a member wants clients, as its agent says. */
export type AgentMode = 'ready' | 'drain' | 'maint';

/** How a member is, as its agent says; all but `up` mean that it is down, and why. */
export type AgentHealth = 'up' | 'down' | 'fail' | 'stopped';

/** What one line of an agent says. What it does not speak of stays as it was. */
export interface AgentReport {
  readonly weightPercent: number | undefined;
  readonly maxConnections: number | undefined;
  readonly mode: AgentMode | undefined;
  readonly health: AgentHealth | undefined;
  /** What it says behind `#`; empty where it says nothing. */
  readonly comment: string;
  /** What of it nobody understands; undefined where all is well. */
  readonly error: string | undefined;
}

/** HAProxy's bound, which keeps its products small. */
const mostPercent = 25_600;
const longestComment = 200;

/**
 * Reads a line of HAProxy's agent protocol: words in any order, apart by blanks, tabs or commas, in upper or lower case; of several of
 * a kind the last one counts. A word that is none of them changes nothing, and the others count all the same.
 */
export function readAgentLine(line: string): AgentReport {
  const sharp = line.indexOf('#');
  const words = (sharp < 0 ? line : line.slice(0, sharp)).split(/[ \t,]+/).filter((word) => word !== '');
  let weightPercent: number | undefined;
  let maxConnections: number | undefined;
  let mode: AgentMode | undefined;
  let health: AgentHealth | undefined;
  let error: string | undefined = words.length === 0 ? 'the agent says nothing' : undefined;
  for (const written of words) {
    const word = written.toLowerCase();
    if (word === 'ready' || word === 'drain' || word === 'maint') mode = word;
    else if (word === 'up' || word === 'down' || word === 'fail' || word === 'stopped') health = word;
    else if (percentage.test(word)) weightPercent = Math.min(Number.parseInt(word, 10), mostPercent);
    else if (limit.test(word)) maxConnections = limitOf(word);
    else error ??= `the agent says '${printable(written.slice(0, longestComment))}'`;
  }
  const comment =
    sharp < 0
      ? ''
      : printable(
          line
            .slice(sharp + 1)
            .trim()
            .slice(0, longestComment),
        );
  return { weightPercent, maxConnections, mode, health, comment, error };
}

const percentage = /^\d{1,9}%$/;
const limit = /^maxconn:\d{1,15}$/;

/** 0 stands for none, as in HAProxy. */
function limitOf(word: string): number {
  const number = Number(word.slice('maxconn:'.length));
  return number === 0 ? unlimited : Math.min(number, unlimited);
}
