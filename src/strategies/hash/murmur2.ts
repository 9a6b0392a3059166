import * as digests from './digest.ts';
import { loadText, wordsFor } from './text-words.ts';

// Constants of this module, see `xxHash64`.
const { digest, multiplyHigh } = digests;
const { imul } = Math;

const factorHigh = 0xc6a4a793;
const factorLow = 0x5bd1e995;

/** The seed of `std::hash` in GNU libstdc++, of Envoy and of libmemcached's ketama by Murmur. */
export const standardSeed = 0xc70f6907;

/**
 * MurmurHash2, 64-bit variant A (Austin Appleton, public domain, `MurmurHash2.cpp`), in 32-bit halves. Puts the 64 bits into
 * `digest`. Not for secrets.
 *
 * @param seed an unsigned 32-bit integer
 */
export function murmur2(text: string, seed: number = standardSeed): void {
  const from = wordsFor(text);
  murmur2OfWords(loadText(text, from), seed, from);
}

/** `murmur2` of so many bytes that are in words already. */
export function murmur2OfWords(length: number, seed: number, from: Int32Array): void {
  let low = seed ^ imul(length, factorLow);
  let high = (multiplyHigh(length, factorLow) + imul(length, factorHigh)) | 0;
  const lanesEnd = (length >>> 3) * 2;
  for (let word = 0; word < lanesEnd; word += 2) {
    const laneLow = from[word] as number;
    let mixedHigh = multiplyHigh(laneLow, factorLow) + imul(laneLow, factorHigh);
    mixedHigh = (mixedHigh + imul(from[word + 1] as number, factorLow)) | 0;
    // Shifting by 47 moves the upper half's upper 17 bits to the bottom of the lower half.
    const mixedLow = imul(laneLow, factorLow) ^ (mixedHigh >>> 15);
    low ^= imul(mixedLow, factorLow);
    high ^= multiplyHigh(mixedLow, factorLow) + imul(mixedLow, factorHigh) + imul(mixedHigh, factorLow);
    high = (multiplyHigh(low, factorLow) + imul(low, factorHigh) + imul(high, factorLow)) | 0;
    low = imul(low, factorLow);
  }
  if ((length & 7) !== 0) {
    low ^= from[lanesEnd] as number;
    if ((length & 7) > 4) high ^= from[lanesEnd + 1] as number;
    high = (multiplyHigh(low, factorLow) + imul(low, factorHigh) + imul(high, factorLow)) | 0;
    low = imul(low, factorLow);
  }
  low ^= high >>> 15;
  high = (multiplyHigh(low, factorLow) + imul(low, factorHigh) + imul(high, factorLow)) | 0;
  low = imul(low, factorLow);
  digest[0] = high;
  digest[1] = low ^ (high >>> 15);
}
