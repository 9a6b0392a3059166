/**
 * What a case is made of by chance.
 *
 * @typedef {() => number} Random from 0 to below 1
 */

/** @param {Random} random */
export function below(random, limit) {
  return Math.floor(random() * limit);
}

/**
 * @template T
 * @param {Random} random
 * @param {readonly T[]} list
 * @returns {T}
 */
export function oneOf(random, list) {
  return list[below(random, list.length)];
}

/** @param {Random} random */
export function perhaps(random, probability) {
  return random() < probability;
}

/** @param {Random} random */
export function times(random, most, make) {
  return Array.from({ length: below(random, most + 1) }, () => make());
}

/**
 * A number of its own for each case of a campaign, well spread: the finalizer of MurmurHash3.
 *
 * @param {number} seed
 * @param {number} index
 */
export function mixed(seed, index) {
  let hash = Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
