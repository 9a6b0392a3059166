const mib = 1024 * 1024;
const gib = 1024 * mib;

/** As those of TCP, with the certificate that is shown. */
export function tlsWorkloads({ quick }) {
  const milliseconds = quick ? 300 : 800;
  const bytes = (quick ? 24 : 96) * mib;
  const rounds = quick ? 3 : 7;
  const warmUps = quick ? 1 : 2;
  const handshakes = (name, title, order, certificate = 'ecdsa') => ({
    name,
    title: `${title}: connect, shake hands, 64 bytes there and back, close; 32 at a time`,
    unit: 'CPU µs per connection',
    certificate,
    order: { workload: 'handshakes', milliseconds, ...order },
    unitSize: 1,
    scale: 1e6,
    rounds,
    warmUps,
  });
  const bulk = (name, title) => ({
    name,
    title: `Bulk over TLS 1.3, ${title}, 4 connections`,
    unit: 'CPU ms per GiB',
    certificate: 'ecdsa',
    order: { workload: name, bytes, version: 'TLSv1.3' },
    unitSize: gib,
    scale: 1e3,
    rounds,
    warmUps,
  });
  return [
    handshakes('full', 'Full handshakes, TLS 1.3', { version: 'TLSv1.3', resumes: false }),
    handshakes('full-1.2', 'Full handshakes, TLS 1.2', { version: 'TLSv1.2', resumes: false }),
    handshakes('full-rsa', 'Full handshakes, TLS 1.3, RSA', { version: 'TLSv1.3', resumes: false }, 'rsa'),
    handshakes('resumed', 'Resumed handshakes, TLS 1.3', { version: 'TLSv1.3', resumes: true }),
    handshakes('resumed-1.2', 'Resumed handshakes, TLS 1.2', { version: 'TLSv1.2', resumes: true }),
    bulk('download', 'member to client'),
    bulk('upload', 'client to member'),
  ];
}
