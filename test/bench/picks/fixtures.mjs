import { seeded } from '../seeded.mjs';

/** More clients than any cache of answers holds; a power of two, so that a mask goes round. */
export const clientCount = 65_536;

export function clientAddresses() {
  const random = seeded(7);
  const octet = () => Math.floor(random() * 256);
  return Array.from({ length: clientCount }, () => `${octet()}.${octet()}.${octet()}.${octet()}`);
}

export function memberAddresses(count) {
  return Array.from({ length: count }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
}

/** @returns {number[]} each from 1 to 256, or 1 for all */
export function memberWeights(count, isWeighted) {
  const random = seeded(11);
  return Array.from({ length: count }, () => (isWeighted ? 1 + Math.floor(random() * 256) : 1));
}
