import { AddressBlocks } from '../persistence/table/address-blocks.ts';
import { KeyTable, ownCells } from '../persistence/table/key-table.ts';
import type { StrategyContext } from '../strategies/strategy.ts';
import type { ClientLimitsSettings } from './client-limits-spec.ts';
import type { Clock } from './clock.ts';

/** Which of its limits a client has reached. */
export type ClientLimit = 'connections' | 'rate';

/** What a rate counts: on TCP connections, on HTTP requests. */
export type Rated = 'connections' | 'requests';

/** How many were refused, by the limit. */
export interface RefusedClients {
  connections: number;
  rate: number;
}

/**
 * An entry's own cells: how many connections there are; how many thousandths of a token there were, and when, in milliseconds.
 */
const connections = ownCells;
const tokens = ownCells + 1;
const countedAt = ownCells + 2;

/**
 * Keeps one client address (or block of addresses) from taking everything: so many connections at a time, and so many new
 * connections or requests a second, counted by a token bucket that holds `burst` tokens and gains `rate` a second. A refused
 * one costs no token. Clients without an IP address are not limited.
 *
 * Memory is bounded and nobody can misuse that. An address that has connections is never forgotten, so that there are as many
 * entries as there are connections at most; of those that have none, `maxEntries` whose bucket is not full, the last ones seen.
 * To have its empty bucket forgotten, a client must keep quiet and come from `maxEntries` other addresses in the meantime, each
 * of which could have been used as well, and until `burst / rate` seconds have passed: after that it is full anyway.
 *
 * Cost: O(1); without a rate, no look at the clock; no timer at all. 0.07 µs to admit at 1,000 addresses, 0.11 with a rate; 58
 * to 115 bytes an entry, and 17 KiB.
 */
export class ClientLimits {
  /** How many were refused, by the limit. */
  readonly refused: RefusedClients;
  /** Seconds, from 1 up, until the client that `allow()` refused last has a token. */
  retryAfter = 1;
  readonly #blocks: AddressBlocks;
  readonly #clients: KeyTable;
  readonly #clock: Clock;
  readonly #rated: Rated;
  #settings: ClientLimitsSettings;
  /** Addresses that are remembered for their rate only. */
  #idle = 0;

  /** @param refused where to count them, if they are to outlive it */
  constructor(
    settings: ClientLimitsSettings,
    rated: Rated,
    { clock, random }: StrategyContext,
    refused: RefusedClients = { connections: 0, rate: 0 },
  ) {
    this.#settings = settings;
    this.refused = refused;
    this.#rated = rated;
    this.#clock = clock;
    this.#blocks = new AddressBlocks(settings);
    this.#clients = new KeyTable(3, random);
  }

  get settings(): ClientLimitsSettings {
    return this.#settings;
  }

  /** How many addresses it knows at the moment. */
  get size(): number {
    return this.#clients.size;
  }

  /**
   * Other limits for the same addresses. False, and nothing changes, where addresses are told apart in another way: begin anew.
   */
  adopts(settings: ClientLimitsSettings): boolean {
    const { ipv4, ipv6 } = this.#settings;
    if (settings.ipv4 !== ipv4 || settings.ipv6 !== ipv6) return false;
    this.#settings = settings;
    return true;
  }

  /**
   * Lets a connection in, and counts it until `left()`; or says which limit is against it, and then `left()` must not be
   * called.
   */
  admit(address: string | undefined): ClientLimit | undefined {
    if (address === undefined || !this.#blocks.read(address)) return undefined;
    const { maxConnections, rate } = this.#settings;
    const clients = this.#clients;
    const isRated = this.#rated === 'connections' && rate < Number.POSITIVE_INFINITY;
    this.#find();
    if ((clients.cells[clients.at + connections] as number) >= maxConnections) return this.#refuse('connections');
    if (isRated && !this.#takeToken()) return this.#refuse('rate');
    this.#connect();
    return undefined;
  }

  /** Counts a connection that was let in without being asked about: before there were limits, or under others. */
  adopt(address: string | undefined): void {
    if (address === undefined || !this.#blocks.read(address)) return;
    this.#find();
    this.#connect();
  }

  /** Whether a client may make a request now, where those are what is rated; and counts it. */
  allow(address: string | undefined): ClientLimit | undefined {
    if (this.#rated !== 'requests' || this.#settings.rate === Number.POSITIVE_INFINITY) return undefined;
    if (address === undefined || !this.#blocks.read(address)) return undefined;
    this.#find();
    if (this.#takeToken()) {
      this.#remember();
      return undefined;
    }
    // So many a second are so many thousandths a millisecond.
    const milliseconds = (1000 - this.#tokensAt(this.#now())) / this.#settings.rate;
    this.retryAfter = Math.max(1, Math.ceil(milliseconds / 1000));
    return this.#refuse('rate');
  }

  /** A connection that was let in has ended. */
  left(address: string | undefined): void {
    if (address === undefined || !this.#blocks.read(address) || !this.#clients.find(this.#blocks.words)) return;
    const { cells, at } = this.#clients;
    const left = (cells[at + connections] as number) - 1;
    if (left < 0) return;
    cells[at + connections] = left;
    if (left === 0) {
      this.#idle++;
      this.#remember();
    }
  }

  #refuse(limit: ClientLimit): ClientLimit {
    this.refused[limit]++;
    this.#remember();
    return limit;
  }

  /** Finds the client's entry, or makes one. */
  #find(): void {
    const clients = this.#clients;
    if (clients.find(this.#blocks.words)) return;
    this.#makeRoom();
    clients.add(this.#blocks.words);
    this.#idle++;
    clients.cells[clients.at + tokens] = 1000 * this.#settings.burst;
    if (this.#settings.rate < Number.POSITIVE_INFINITY) clients.cells[clients.at + countedAt] = this.#now();
  }

  /** One more connection of the client found last, which is not forgotten from now on. */
  #connect(): void {
    const { cells, at } = this.#clients;
    if (cells[at + connections] === 0) {
      this.#idle--;
      this.#clients.pin();
    }
    cells[at + connections] = (cells[at + connections] as number) + 1;
  }

  /** Where the client found last has no connection: keeps it for its rate, or forgets it where there is nothing to remember. */
  #remember(): void {
    const { cells, at } = this.#clients;
    if (cells[at + connections] !== 0) return;
    if (this.#isFull()) {
      this.#clients.remove();
      this.#idle--;
    } else {
      this.#clients.use();
    }
  }

  /**
   * Forgets the one or two that were not seen for longest, where their bucket is full or there are too many. So those that have
   * become useless go as others come, and nobody waits long where `maxEntries` was lowered.
   */
  #makeRoom(): void {
    for (let looked = 0; looked < 2 && this.#clients.findOldest(); looked++) {
      if (this.#idle < this.#settings.maxEntries && !this.#isFull()) return;
      this.#clients.remove();
      this.#idle--;
    }
  }

  #takeToken(): boolean {
    const { cells, at } = this.#clients;
    const now = this.#now();
    const left = this.#tokensAt(now) - 1000;
    // A refused one leaves all as it is: what was gained in the meantime is not rounded down again and again.
    if (left < 0) return false;
    cells[at + tokens] = left;
    cells[at + countedAt] = now;
    return true;
  }

  #isFull(): boolean {
    const { rate, burst } = this.#settings;
    return rate === Number.POSITIVE_INFINITY || this.#tokensAt(this.#now()) >= 1000 * burst;
  }

  /** Thousandths of a token: so many a millisecond as there are tokens a second. */
  #tokensAt(now: number): number {
    const { rate, burst } = this.#settings;
    const { cells, at } = this.#clients;
    // Good for 49 days; after longer silence, a client may find less than a full bucket once.
    const elapsed = (now - (cells[at + countedAt] as number)) >>> 0;
    return Math.min(1000 * burst, (cells[at + tokens] as number) + Math.floor(elapsed * rate));
  }

  #now(): number {
    return Math.floor(this.#clock.now()) | 0;
  }
}
