import * as digests from './digest.ts';
import * as texts from './text-words.ts';

// Constants of this module: each use of another module's costs V8 a look whether it is there yet, 5 ns of a hash.
const { carry, digest, multiplyHigh } = digests;
const { loadText, longest, words } = texts;
const { imul } = Math;

/**
 * XXH64 (Yann Collet, `xxhash_spec.md`), in 32-bit halves: BigInt would cost a hundred times as much. Puts the 64 bits into
 * `digest`. Not for secrets.
 *
 * Cost: some 55 ns for an IP address, a third of which is reading the text; about 3 ns a byte for longer ones.
 *
 * @param seed an unsigned 32-bit integer; the seeds above are not offered
 */
export function xxHash64(text: string, seed = 0): void {
  hash(text, text.length <= longest ? words : texts.wordsFor(text), 0, seed);
}

/** `xxHash64` of so many bytes that are in words already. */
export function xxHash64OfWords(length: number, seed = 0, from: Int32Array = words): void {
  hash(undefined, from, length, seed);
}

const prime1High = 0x9e3779b1;
const prime1Low = 0x85ebca87;
const prime2High = 0xc2b2ae3d;
const prime2Low = 0x27d4eb4f;
const prime3High = 0x165667b1;
const prime3Low = 0x9e3779f9;
const prime4High = 0x85ebca77;
const prime4Low = 0xc2b2ae63;
const prime5High = 0x27d4eb2f;
const prime5Low = 0x165667c5;

/**
 * One function with `loadText` in it, rather than two that V8 calls from every pick, having no room left to inline what is shorter.
 *
 * @param text to be put into the words, where they do not hold the bytes already
 */
function hash(text: string | undefined, from: Int32Array, loaded: number, seed: number): void {
  const length = text === undefined ? loaded : loadText(text, from);
  let word = 0;
  let low: number;
  let high: number;
  if (length >= 32) {
    word = hashStripes(from, length, seed);
    low = digest[1] as number;
    high = digest[0] as number;
  } else {
    low = (seed + prime5Low) | 0;
    high = (prime5High + carry(low, seed)) | 0;
  }
  low = (low + length) | 0;
  high = (high + carry(low, length)) | 0;

  // What is left goes in by lanes of eight bytes, then four, then single ones: exclusive-or, rotate, multiply, add.
  for (let rest = length - 4 * word, bytes = 0; rest > 0; ) {
    let rotation = 27;
    let factorHigh = prime1High;
    let factorLow = prime1Low;
    let addendHigh = prime4High;
    let addendLow = prime4Low;
    const lane = from[word] as number;
    if (rest >= 8) {
      // A round from 0: lane * prime2, rotated by 31, * prime1.
      const mixedLow = imul(lane, prime2Low);
      const mixedHigh =
        multiplyHigh(lane, prime2Low) + imul(lane, prime2High) + imul(from[word + 1] as number, prime2Low);
      const turnedLow = (mixedLow << 31) | (mixedHigh >>> 1);
      const turnedHigh = (mixedHigh << 31) | (mixedLow >>> 1);
      low ^= imul(turnedLow, prime1Low);
      high ^= multiplyHigh(turnedLow, prime1Low) + imul(turnedLow, prime1High) + imul(turnedHigh, prime1Low);
      word += 2;
      rest -= 8;
    } else if (rest >= 4) {
      low ^= imul(lane, prime1Low);
      high ^= multiplyHigh(lane, prime1Low) + imul(lane, prime1High);
      rotation = 23;
      factorHigh = prime2High;
      factorLow = prime2Low;
      addendHigh = prime3High;
      addendLow = prime3Low;
      word++;
      rest -= 4;
    } else {
      const byte = (lane >>> (8 * bytes++)) & 0xff;
      low ^= imul(byte, prime5Low);
      // The upper half of byte * prime5: two products that fit.
      high ^=
        imul(byte, prime5High) + ((imul(byte, prime5Low >>> 16) + (imul(byte, prime5Low & 0xffff) >>> 16)) >>> 16);
      rotation = 11;
      addendHigh = addendLow = 0;
      rest--;
    }
    const rotatedLow = (low << rotation) | (high >>> (32 - rotation));
    const rotatedHigh = (high << rotation) | (low >>> (32 - rotation));
    low = (imul(rotatedLow, factorLow) + addendLow) | 0;
    high = multiplyHigh(rotatedLow, factorLow) + imul(rotatedLow, factorHigh);
    high = (high + imul(rotatedHigh, factorLow) + addendHigh + carry(low, addendLow)) | 0;
  }

  low ^= (high >>> 1) | 0;
  high = (multiplyHigh(low, prime2Low) + imul(low, prime2High) + imul(high, prime2Low)) | 0;
  low = imul(low, prime2Low);
  low ^= (low >>> 29) | (high << 3);
  high ^= high >>> 29;
  high = (multiplyHigh(low, prime3Low) + imul(low, prime3High) + imul(high, prime3Low)) | 0;
  low = imul(low, prime3Low);
  digest[0] = high;
  digest[1] = low ^ high;
}

/** The four accumulators, lower and upper half each. */
const lanes = new Int32Array(8);
const rotations = [1, 7, 12, 18] as const;

/** Takes in whole stripes of 32 bytes and leaves what they amount to in `digest`. Returns the word where the rest begins. */
function hashStripes(from: Int32Array, length: number, seed: number): number {
  lanes.set([seed, 0, seed, 0, seed, 0, seed, 0]);
  add(0, prime1High, prime1Low);
  add(0, prime2High, prime2Low);
  add(2, prime2High, prime2Low);
  add(6, ~prime1High, -prime1Low);
  const end = (length >>> 5) * 8;
  for (let word = 0; word < end; word += 2) round(word & 7, from[word] as number, from[word + 1] as number);

  let low = 0;
  let high = 0;
  for (let lane = 0; lane < 8; lane += 2) {
    const laneLow = lanes[lane] as number;
    const laneHigh = lanes[lane + 1] as number;
    const rotation = rotations[(lane >>> 1) as 0 | 1 | 2 | 3];
    const rotatedLow = (laneLow << rotation) | (laneHigh >>> (32 - rotation));
    low = (low + rotatedLow) | 0;
    high = (high + ((laneHigh << rotation) | (laneLow >>> (32 - rotation))) + carry(low, rotatedLow)) | 0;
  }
  for (let lane = 0; lane < 8; lane += 2) {
    const laneLow = lanes[lane] as number;
    const laneHigh = lanes[lane + 1] as number;
    lanes[lane] = lanes[lane + 1] = 0;
    round(lane, laneLow, laneHigh);
    low ^= lanes[lane] as number;
    high ^= lanes[lane + 1] as number;
    high = multiplyHigh(low, prime1Low) + imul(low, prime1High) + imul(high, prime1Low);
    low = (imul(low, prime1Low) + prime4Low) | 0;
    high = (high + prime4High + carry(low, prime4Low)) | 0;
  }
  digest[0] = high;
  digest[1] = low;
  return end;
}

/** An accumulator takes in a lane: + lane * prime2, rotated by 31, * prime1. */
function round(at: number, laneLow: number, laneHigh: number): void {
  add(
    at,
    multiplyHigh(laneLow, prime2Low) + imul(laneLow, prime2High) + imul(laneHigh, prime2Low),
    imul(laneLow, prime2Low),
  );
  const low = lanes[at] as number;
  const high = lanes[at + 1] as number;
  const turnedLow = (low << 31) | (high >>> 1);
  const turnedHigh = (high << 31) | (low >>> 1);
  lanes[at] = imul(turnedLow, prime1Low);
  lanes[at + 1] = multiplyHigh(turnedLow, prime1Low) + imul(turnedLow, prime1High) + imul(turnedHigh, prime1Low);
}

function add(at: number, high: number, low: number): void {
  const sum = ((lanes[at] as number) + low) | 0;
  lanes[at] = sum;
  lanes[at + 1] = ((lanes[at + 1] as number) + high + carry(sum, low)) | 0;
}
