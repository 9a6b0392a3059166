import type { AgentCheck } from '../../health/agent/agent-check.ts';
import type { BuiltInMonitor } from '../../health/monitor-spec.ts';
import type { Probe } from '../../health/probe.ts';
import { agentProbe } from './agent-probe.ts';
import { httpProbeOf } from './http-probe.ts';
import { httpsProbeOf } from './https-probe.ts';
import { pingProbe } from './ping-probe.ts';
import { tcpProbe } from './tcp-probe.ts';
import { tlsHelloProbeOf } from './tls-hello-probe.ts';
import { udpConnectProbe } from './udp-connect-probe.ts';

const path = 'healthMonitor';
/** How long `nc -w1`, as Octavia has it, waits for a word, in milliseconds. */
const silence = 1000;

/** The probe that a monitor's `type` names. Throws `SpecError` where this machine cannot do what the monitor wants. */
export function makeProbe<T>(monitor: BuiltInMonitor | AgentCheck): Probe<T> {
  switch (monitor.type) {
    case 'agent':
      return agentProbe<T>(monitor);
    case 'tcp':
      return tcpProbe<T>();
    case 'http':
      return httpProbeOf<T>(monitor);
    case 'https':
      return httpsProbeOf<T>(monitor, path);
    case 'tls-hello':
      return tlsHelloProbeOf<T>(monitor, path);
    case 'udp-connect':
      // Silence must be over when the check is.
      return udpConnectProbe<T>({ silence: Math.min(silence, Math.max(1, monitor.timeout / 2)) });
    case 'ping':
      return pingProbe<T>(`${path}.type`);
  }
}
