import { isIPv4, maskOf, readIp } from '../../core/ip-words.ts';
import type { Granularity } from './granularity.ts';

/** Reads client addresses, and takes all of a block for one: of each address only the leading bits count. */
export class AddressBlocks {
  /** The block of the address read last, the highest word first; IPv4 is held as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2). */
  readonly words: Int32Array = new Int32Array(4);
  readonly #ipv4Mask: number;
  readonly #ipv6Masks: Int32Array;

  constructor({ ipv4, ipv6 }: Granularity) {
    this.#ipv4Mask = maskOf(ipv4);
    this.#ipv6Masks = Int32Array.from([ipv6, ipv6 - 32, ipv6 - 64, ipv6 - 96], maskOf);
  }

  /**
   * Puts the block of an address into `words`. An IPv4 address is the same however it is written (`10.0.0.1`, `::ffff:10.0.0.1`);
   * a zone (`fe80::1%eth0`) does not count. False where the text is no address, and then the words mean nothing.
   */
  read(address: string): boolean {
    const { words } = this;
    if (!readIp(address, words)) return false;
    if (isIPv4(words)) {
      words[3] = (words[3] as number) & this.#ipv4Mask;
      return true;
    }
    const masks = this.#ipv6Masks;
    for (let at = 0; at < 4; at++) words[at] = (words[at] as number) & (masks[at] as number);
    return true;
  }
}
