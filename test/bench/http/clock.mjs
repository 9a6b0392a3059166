/** Milliseconds that count alike in every thread of a process. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}
