/** As those of TCP. `isFull`: contestants are also those that have one option on. */
export function layer4Workloads({ quick }) {
  const milliseconds = quick ? 400 : 800;
  // More than elsewhere: there is more to compile where everything is on.
  const warmUps = 4;
  const rounds = quick ? 3 : 11;
  return [
    {
      name: 'connections',
      protocol: 'tcp',
      title: 'TCP connections: connect, 64 bytes there and back, close; 32 at a time',
      unit: 'CPU µs per connection',
      order: { workload: 'connections', milliseconds },
      unitSize: 1,
      scale: 1e6,
      rounds,
      warmUps,
      isFull: !quick,
    },
    {
      name: 'requests',
      protocol: 'http',
      title: 'HTTP requests of a line and 64 bytes of answer, on 32 kept connections',
      unit: 'CPU µs per request',
      order: { workload: 'requests', milliseconds },
      unitSize: 1,
      scale: 1e6,
      rounds,
      warmUps,
      isFull: false,
    },
  ];
}
