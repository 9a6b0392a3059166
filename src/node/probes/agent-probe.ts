import type { Socket } from 'node:net';
import { isUnix } from '../../core/address.ts';
import type { AgentCheck } from '../../health/agent/agent-check.ts';
import { AgentLine } from '../../health/agent/agent-line.ts';
import type { Probe } from '../../health/probe.ts';
import { leave } from './leave.ts';
import { type Verdict, visit } from './visit.ts';

/** Asks a member's agent and tells the member what it says; a member without an agent passes. For `AgentCheck`. */
export function agentProbe<T>({ port: everyPort, send }: AgentCheck): Probe<T> {
  return {
    name: 'agent',
    check: async ({ member, signal }) => {
      const { address, agentPort: port = everyPort } = member;
      // What listens on a Unix socket has no other port.
      if (port === undefined || isUnix(address)) return;
      let line = '';
      await visit({ address, port, signal }, (socket, verdict) => {
        if (send !== undefined) socket.write(send);
        listen(socket, verdict, (said) => {
          line = said;
        });
      });
      member.reportAgent(line);
    },
  };
}

function listen(socket: Socket, verdict: Verdict, says: (line: string) => void): void {
  const line = new AgentLine();
  const conclude = (found: string | Error | undefined): void => {
    if (found === undefined) return;
    socket.off('data', read).off('end', end);
    if (typeof found === 'string') says(found);
    verdict(typeof found === 'string' ? undefined : found);
    leave(socket);
  };
  const read = (chunk: Buffer): void => conclude(line.push(chunk));
  const end = (): void => conclude(line.end());
  socket.on('data', read).on('end', end);
}
