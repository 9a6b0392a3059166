/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104) over it, since the core has no Node to ask. For a few short texts: some microseconds
 * each.
 */

const blockSize = 64;

/** The first 32 bits of the fractional parts of the square roots of the first 8 primes, and of the cube roots of the first 64. */
const initial = fractions(8, 1 / 2);
const constants = fractions(64, 1 / 3);

/** @returns 32 bytes */
export function sha256(message: Uint8Array): Uint8Array {
  const blocks = padded(message);
  const state = initial.slice();
  const schedule = new Int32Array(64);
  for (let start = 0; start < blocks.byteLength; start += blockSize) {
    for (let word = 0; word < 16; word++) schedule[word] = blocks.getInt32(start + 4 * word);
    compress(state, schedule);
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (let word = 0; word < 8; word++) digest.setInt32(4 * word, state[word] as number);
  return new Uint8Array(digest.buffer);
}

/** @returns 32 bytes */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const secret = new Uint8Array(blockSize);
  secret.set(key.length > blockSize ? sha256(key) : key);
  const inner = sha256(
    joined(
      secret.map((byte) => byte ^ 0x36),
      message,
    ),
  );
  return sha256(
    joined(
      secret.map((byte) => byte ^ 0x5c),
      inner,
    ),
  );
}

function compress(state: Int32Array, schedule: Int32Array): void {
  for (let word = 16; word < 64; word++) {
    const before = schedule[word - 15] as number;
    const last = schedule[word - 2] as number;
    const low = rotated(before, 7) ^ rotated(before, 18) ^ (before >>> 3);
    const high = rotated(last, 17) ^ rotated(last, 19) ^ (last >>> 10);
    schedule[word] = (schedule[word - 16] as number) + low + (schedule[word - 7] as number) + high;
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let round = 0; round < 64; round++) {
    const chosen = (e & f) ^ (~e & g);
    const major = (a & b) ^ (a & c) ^ (b & c);
    const mixed = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + chosen;
    const first = (mixed + (constants[round] as number) + (schedule[round] as number)) | 0;
    const second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + major;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}

/** The message, a bit that ends it, zeros, and its length in bits. */
function padded(message: Uint8Array): DataView {
  const bytes = new Uint8Array(Math.ceil((message.length + 9) / blockSize) * blockSize);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(message.length / 0x2000_0000));
  view.setUint32(bytes.length - 4, (message.length << 3) >>> 0);
  return view;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function rotated(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function fractions(count: number, power: number): Int32Array {
  const words = new Int32Array(count);
  for (let number = 2, found = 0; found < count; number++) {
    if (!isPrime(number)) continue;
    const root = number ** power;
    words[found++] = Math.floor((root - Math.floor(root)) * 0x1_0000_0000);
  }
  return words;
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}
