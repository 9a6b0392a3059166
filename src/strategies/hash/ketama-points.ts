import type { Member } from '../../core/member.ts';
import { emptyCrc, extendCrc, extendCrcByWord, finishCrc } from './crc32.ts';
import { Points } from './hash-ring.ts';

/** nginx's. */
const pointsPerWeight = 160;

/**
 * The points of a ring as nginx places them for `hash … consistent` (`ngx_http_upstream_hash_module.c`; Pingora's
 * `pingora-ketama` is the same): 160 for each unit of weight, each the CRC-32 of the member's id and of the point before it.
 * An id that ends in a colon and digits counts as host and port, with a zero byte for the colon. nginx takes for the id what
 * its `server` line says; by default that is what an id is here, too.
 *
 * @param maxRingSize where 160 a unit would be more than that, each unit gets as many as fit, and each member at least one
 */
export function ketamaPoints<T>(members: readonly Member<T>[], maxRingSize: number): Points {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const perWeight = Math.min(pointsPerWeight, maxRingSize / total);
  const counts = Uint32Array.from(members, ({ weight }) => Math.max(1, Math.floor(weight * perWeight)));
  const points = new Points(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (const [index, { id }] of members.entries()) {
    const base = extendCrc(emptyCrc, hostAndPort(id));
    let hash = 0;
    for (let count = counts[index] as number; count > 0; count--, at++) {
      hash = finishCrc(extendCrcByWord(base, hash));
      points.high[at] = hash;
      points.owner[at] = index;
    }
  }
  return points;
}

function hostAndPort(id: string): string {
  const unix = /^unix:(.*)$/is.exec(id);
  if (unix !== null) return `${unix[1]}\0`;
  const endpoint = /^(.*):(\d*)$/s.exec(id);
  return endpoint === null ? `${id}\0` : `${endpoint[1]}\0${endpoint[2]}`;
}
