/**
 * What a member says of its own load, as in ORCA (Open Request Cost Aggregation), which gRPC and Envoy use. Given to
 * `member.reportLoad()`.
 */
export interface LoadReport {
  /** How busy the member is, 0 and up; 1 is what it can carry. 0 where it does not know. */
  readonly utilization: number;
  /** Requests that it serves in a second, 0 and up. */
  readonly requestsPerSecond: number;
  /** Of these, requests that fail, 0 and up. Default 0. */
  readonly errorsPerSecond?: number | undefined;
}
