/**
 * evenkeel: virtual IPs, pools and members, the strategies that pick and the health that decides. This entry point opens no
 * socket and needs no Node; `evenkeel/node` brings the real listeners.
 */
export type { AcceptProxyProtocol, AcceptProxyProtocolSpec } from './core/accept-proxy-protocol.ts';
export type { PersistenceStats } from './core/affinity.ts';
export type { Attachment, Placement, PreparedChange } from './core/attachment.ts';
export { Balancer, type BalancerEvents, type BalancerOptions } from './core/balancer.ts';
export type { BalancerSpec } from './core/balancer-spec.ts';
export type { CircuitUse } from './core/circuit.ts';
export type { ClientLimitsSettings, ClientLimitsSpec } from './core/client-limits-spec.ts';
export { type Clock, systemClock, type Timer, VirtualClock } from './core/clock.ts';
export { createPool } from './core/create-pool.ts';
export { createVip } from './core/create-vip.ts';
export type { DrainOptions, DrainResult } from './core/drain.ts';
export { Emitter, type ListenerErrorEvent } from './core/emitter.ts';
export type { Environment } from './core/environment.ts';
export { type ErrorCode, EvenkeelError, InUseError, NotFoundError, SpecError } from './core/errors.ts';
export type { Histogram, HistogramSummary } from './core/histogram.ts';
export type { HttpConfig, HttpSettings } from './core/http-settings.ts';
export type { KeepAlive, KeepAliveSpec } from './core/keep-alive-spec.ts';
export type { Acquired, Lease, Outcome } from './core/lease.ts';
export type { LoadReport } from './core/load-report.ts';
export type { Member } from './core/member.ts';
export type { MemberFields, MemberSettings, MemberSpec, MemberUpdate } from './core/member-spec.ts';
export type { PanicSpec } from './core/panic-spec.ts';
export type { AcquireRequest, RequestAttributes } from './core/pick-request.ts';
export type { Pool } from './core/pool.ts';
export type { MemberStatusChange, PoolEvents } from './core/pool-events.ts';
export type { PoolSpec, PoolUpdate } from './core/pool-spec.ts';
export type { QueueSettings, QueueSpec } from './core/queue-spec.ts';
export { type Random, seededRandom, systemRandom } from './core/random.ts';
export type { Refusal, RefusalReason } from './core/refusal.ts';
export type {
  BalancerStats,
  BalancerStatus,
  MemberReport,
  PoolStats,
  PoolStatus,
  RouteStatus,
  VipStatus,
} from './core/report.ts';
export type { ConcurrencyLimitStats, RetryBudgetStats } from './core/safeguard-stats.ts';
export type { SafeguardsSpec } from './core/safeguards-spec.ts';
export type {
  ProxyProtocolVersion,
  SendProxyProtocol,
  SendProxyProtocolSpec,
  SendTlvsSpec,
} from './core/send-proxy-protocol.ts';
export type { Client, NextStep, Pause, Session } from './core/session.ts';
export type { SniRoute, SniRouteSpec } from './core/sni-routing-spec.ts';
export type { Stats } from './core/stats.ts';
export type { MemberStatus, OperatingStatus, StatusChange } from './core/status.ts';
export { type Classifier, classifyByDefault, type LeaseEnd, type Verdict } from './core/verdict.ts';
export type { Protocol, Timeouts, TimeoutsSpec, VipSettings, VipSpec } from './core/vip-spec.ts';
export type { ClientLimitStats, TimeoutCounts, TlsHandshakeCounts, VipStats } from './core/vip-stats.ts';
export type { Rejection, VipEvents, VirtualIP } from './core/virtual-ip.ts';
export type { Wait } from './core/wait.ts';
export type { QueueStats } from './core/wait-queue.ts';
export type { AgentCheck, AgentCheckSpec } from './health/agent/agent-check.ts';
export type { AgentHealth, AgentMode } from './health/agent/agent-report.ts';
export type { AgentStatus } from './health/agent/agent-view.ts';
export type { ExpectedBody, ExpectedBodySpec } from './health/expected-body.ts';
export type { HttpCheck, HttpCheckSpec, HttpMethod, HttpVersion } from './health/http-check.ts';
export { InconclusiveError } from './health/inconclusive-error.ts';
export type {
  BuiltInMonitor,
  CheckPace,
  HealthMonitor,
  HealthMonitorSpec,
  InitialHealth,
  MonitorSettings,
  ProbeType,
} from './health/monitor-spec.ts';
export type { ProbeFactory } from './health/monitoring.ts';
export type { ErrorAction, Observed } from './health/observer.ts';
export type { Probe, ProbeTarget } from './health/probe.ts';
export { Slots } from './health/slots.ts';
export type { TlsCheck, TlsCheckSpec } from './health/tls-check.ts';
export type { ErrorAnswer, ErrorAnswerer, FailedRequest } from './http1/error-answer.ts';
export type { InsertedHeader, InsertHeadersSpec } from './http1/insert-headers.ts';
export type { Limits, LimitsSpec } from './http1/limits.ts';
export { type AppCookiePersistenceSpec, appCookiePersistence } from './persistence/app-cookie-persistence.ts';
export { type HttpCookiePersistenceSpec, httpCookiePersistence } from './persistence/http-cookie-persistence.ts';
export type {
  HttpPersistence,
  Persistence,
  PersistenceRequest,
  PersistenceTable,
} from './persistence/persistence.ts';
export type { PersistenceSpec } from './persistence/persistence-spec.ts';
export { type SourceIpPersistenceSpec, sourceIpPersistence } from './persistence/source-ip-persistence.ts';
export type { GranularitySpec } from './persistence/table/granularity.ts';
export type { TableLimitsSpec } from './persistence/table/table-limits-spec.ts';
export type { ProxyEndpoint, ProxyFamily, ProxyHeader } from './proxy-protocol/proxy-header.ts';
export { hasVerifiedCertificate, type ProxyTls } from './proxy-protocol/proxy-tls.ts';
export type { Tlv } from './proxy-protocol/tlv.ts';
export type { ProxyTlvs } from './proxy-protocol/tlvs.ts';
export { type AimdLimitSettings, type AimdLimitSpec, aimdLimit } from './safeguards/aimd-limit.ts';
export { ConcurrencyGate, type ConcurrencySample } from './safeguards/concurrency-gate.ts';
export type { BuiltInAlgorithm, ConcurrencyAlgorithm, ConcurrencyLimit } from './safeguards/concurrency-limit.ts';
export type { ConcurrencyLimitSpec } from './safeguards/concurrency-limit-spec.ts';
export { type GradientLimitSettings, type GradientLimitSpec, gradientLimit } from './safeguards/gradient-limit.ts';
export { Hedge, type HedgeSettings, type HedgeSpec } from './safeguards/hedge.ts';
export type { LimitRange, LimitRangeSpec } from './safeguards/limit-range.ts';
export type {
  EjectionWithheld,
  MemberEjected,
  MemberReadmitted,
  ReadmissionCause,
  WithheldBecause,
} from './safeguards/outlier-events.ts';
export type { Ejection, EjectionCause } from './safeguards/outlier-record.ts';
export type {
  FailurePercentageSpec,
  OutlierDetectionSpec,
  SuccessRateSpec,
} from './safeguards/outlier-spec.ts';
export type { OutlierStats } from './safeguards/outlier-stats.ts';
export { RetryBudget, type RetryBudgetSettings, type RetryBudgetSpec } from './safeguards/retry-budget.ts';
export type { SheddingCause, SheddingChange } from './safeguards/shedding.ts';
export { type StrategyName, strategyNames } from './strategies/built-in.ts';
export { first } from './strategies/first.ts';
export type { HashKey, HashOptions } from './strategies/hash-key.ts';
export { type LeastConnectionsOptions, leastConnections } from './strategies/least-connections.ts';
export { type LeastTimeOptions, leastTime } from './strategies/least-time.ts';
export { type MaglevOptions, maglev } from './strategies/maglev.ts';
export { type PeakEwmaOptions, peakEwma } from './strategies/peak-ewma.ts';
export { type PowerOfTwoOptions, powerOfTwo } from './strategies/power-of-two.ts';
export { random } from './strategies/random.ts';
export { type RendezvousOptions, rendezvous } from './strategies/rendezvous.ts';
export { type RingHashOptions, ringHash } from './strategies/ring-hash.ts';
export { type RoundRobinOptions, roundRobin } from './strategies/round-robin.ts';
export { type SourceIpOptions, sourceIp } from './strategies/source-ip.ts';
export { sourceIpPort } from './strategies/source-ip-port.ts';
export type { Picker, PickRequest, Strategy, StrategyContext } from './strategies/strategy.ts';
export { type UtilizationOptions, utilization } from './strategies/utilization.ts';
export { type SlowStartOptions, slowStart } from './strategies/wrappers/slow-start.ts';
export { type SubsetOptions, subset } from './strategies/wrappers/subset.ts';
export { type ZonePreferenceOptions, zonePreference } from './strategies/wrappers/zone-preference.ts';
export type { CertificateSpec } from './tls/certificate-spec.ts';
export type { ClientCertificate } from './tls/client-certificate.ts';
export type { ClientTls } from './tls/client-tls.ts';
export type { MemberTls, MemberTlsSettings } from './tls/member-tls.ts';
export type { MemberTlsSpec } from './tls/member-tls-spec.ts';
export type { ClientAuthentication, TlsConfig, TlsVersion } from './tls/tls-config.ts';
export type { TlsSpec } from './tls/tls-spec.ts';
