import type { Probe } from '../../health/probe.ts';
import { leave } from './leave.ts';
import { visit } from './visit.ts';

/** Passes where a connection can be opened; nothing is sent. */
export function tcpProbe<T = unknown>(): Probe<T> {
  return {
    name: 'tcp',
    check: (target) => {
      return visit(target, (socket, verdict) => {
        verdict();
        leave(socket);
      });
    },
  };
}
