import type { Pool } from './pool.ts';
import type { VirtualIP } from './virtual-ip.ts';

/** A virtual IP and where it shall listen. */
export interface Placement<T = unknown> {
  readonly vip: VirtualIP<T>;
  readonly address: string;
  readonly port: number;
  /** Where it will lead. */
  readonly pools: ReadonlySet<Pool<T>>;
}

/**
 * What gives a balancer's virtual IPs real listeners (`listen(balancer)` of `evenkeel/node`). A change has two phases, so that
 * it happens as a whole or not at all.
 */
export interface Attachment<T = unknown> {
  /**
   * Gets ready to serve exactly these, above all binds what is not bound yet; nobody is served before the commit. Where one cannot
   * be served it rejects and leaves nothing behind; given `failed`, it tells that instead and leaves that one out.
   */
  prepare(placements: readonly Placement<T>[], failed?: (error: unknown) => void): Promise<PreparedChange>;
  /** A change that nobody awaits (`createVip()`, `removeVip()`) could not be followed. */
  failed(error: unknown): void;
}

export interface PreparedChange {
  /** The change happens: serve the new, drain what goes. Must not throw. */
  commit(): void;
  /** The change does not happen: give up what was prepared. */
  cancel(): void;
}
