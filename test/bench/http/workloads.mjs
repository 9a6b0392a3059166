/**
 * What is asked of the contestants. `count` is how many connections there are, or, where each has one request, how many there may be
 * at a time. `rate`, in requests a second, is about half of what the slowest contestant can do on a machine with two cores.
 */
export function workloads({ quick }) {
  /** In milliseconds, apart from `rounds`. */
  const effort = quick
    ? { warmUp: 500, rush: 200, pace: 300, rounds: 3 }
    : // V8 has compiled what matters when the rounds begin, and heaps have grown.
      { warmUp: 1000, rush: 350, pace: 650, rounds: 5 };
  const all = [
    { name: 'small', title: 'Small GET: an answer of 64 bytes, 32 kept connections', rate: 5000, count: 32 },
    {
      name: 'headers',
      title: 'GET with 40 header fields there and 40 back, 32 kept connections',
      rate: 1500,
      count: 32,
    },
    { name: 'download', title: 'Answers of 1 MiB, 8 kept connections', rate: 80, count: 8 },
    { name: 'upload', title: 'Requests of 1 MiB, 8 kept connections', rate: 80, count: 8 },
    { name: 'websocket', title: 'WebSocket: 128 bytes there and back on 32 connections', rate: 4000, count: 32 },
    { name: 'once', title: 'A connection for each request, `Connection: close`, 64 bytes', rate: 400, count: 256 },
  ];
  return all.map((workload) => ({ ...workload, ...effort }));
}
