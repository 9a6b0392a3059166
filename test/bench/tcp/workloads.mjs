const mib = 1024 * 1024;
const gib = 1024 * mib;

/**
 * CPU workloads. `order` is what the client is told, `unitSize` is how much of it the unit of the table is, `scale` turns
 * seconds of CPU into the figure shown.
 */
export function cpuWorkloads({ quick }) {
  const milliseconds = quick ? 400 : 800;
  const bytes = (quick ? 48 : 160) * mib;
  const rounds = quick ? 3 : 7;
  // Rounds that do not count: V8 has compiled what matters by then, and heaps have grown.
  const warmUps = quick ? 1 : 2;
  return [
    {
      name: 'setup',
      title: 'Connection set-up: connect, 64 bytes there and back, close; 32 at a time',
      unit: 'CPU µs per connection',
      order: { workload: 'setup', milliseconds },
      unitSize: 1,
      scale: 1e6,
      // The figure that scatters most.
      rounds: quick ? 3 : 11,
      warmUps,
    },
    {
      name: 'pingpong',
      title: 'Kept connections: 128 bytes there and back on 32 connections',
      unit: 'CPU µs per request',
      order: { workload: 'pingpong', milliseconds },
      unitSize: 1,
      scale: 1e6,
      rounds,
      warmUps,
    },
    {
      name: 'download',
      title: 'Bulk, member to client, 4 connections',
      unit: 'CPU ms per GiB',
      order: { workload: 'download', bytes },
      unitSize: gib,
      scale: 1e3,
      rounds,
      warmUps,
    },
    {
      name: 'upload',
      title: 'Bulk, client to member, 4 connections',
      unit: 'CPU ms per GiB',
      order: { workload: 'upload', bytes },
      unitSize: gib,
      scale: 1e3,
      rounds,
      warmUps,
    },
  ];
}

export function memoryWorkload({ quick }) {
  return {
    name: 'memory',
    title:
      'Memory: growth of the resident set with 2,000 idle connections that have each exchanged 64 bytes, in a fresh process',
    unit: 'KiB per connection',
    connections: 2000,
    rounds: quick ? 1 : 3,
  };
}
