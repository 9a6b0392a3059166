/** The Node adapter: real TCP listeners for virtual IPs, real connections to members, probes that knock on real ports. */
export type { BalancerListener } from './balancer-listener.ts';
export type { CloseOptions } from './close-options.ts';
export { listen } from './listen.ts';
export type { Listener } from './listener.ts';
export { httpProbe } from './probes/http-probe.ts';
export { httpsProbe } from './probes/https-probe.ts';
export { pingProbe } from './probes/ping-probe.ts';
export { tcpProbe } from './probes/tcp-probe.ts';
export { tlsHelloProbe } from './probes/tls-hello-probe.ts';
export { type UdpConnectOptions, udpConnectProbe } from './probes/udp-connect-probe.ts';
export type { CertificateFacts } from './tls/credentials.ts';
export type { TroubleEvents } from './vip-server.ts';
