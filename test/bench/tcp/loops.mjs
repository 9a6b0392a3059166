/** What the clients of several benchmarks have in common. */

/** What a member is told first: how many bytes to send, or to take. */
export function header(kind, bytes) {
  const head = Buffer.alloc(16, kind);
  head.writeDoubleBE(bytes, 8);
  return head;
}

/** Keeps so many units running until the time is up, and resolves with how many were done. */
export function closedLoop(concurrency, milliseconds, unit) {
  return new Promise((resolve, reject) => {
    const until = performance.now() + milliseconds;
    let done = 0;
    let running = concurrency;
    const next = () => {
      if (performance.now() < until) return unit(finished, reject);
      running--;
      if (running === 0) resolve(done);
    };
    const finished = () => {
      done++;
      next();
    };
    for (let n = 0; n < concurrency; n++) next();
  });
}

export async function inParallel(count, start) {
  const sizes = await Promise.all(Array.from({ length: count }, () => new Promise(start)));
  return sizes.reduce((sum, size) => sum + size, 0);
}
