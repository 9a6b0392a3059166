import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../processes/scratch.mjs';

const keys = {
  ecdsa: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-newkey', 'rsa:2048'],
};

/**
 * A certificate for a day that everybody who takes part shows, made by the `openssl` of the system.
 *
 * @param {'ecdsa' | 'rsa'} type P-256, or 2048 bits
 * @returns the files of certificate and key, and that of both
 */
export function makeCertificate(type) {
  const folder = scratchFolder();
  const [cert, key, both] = ['cert.pem', 'key.pem', 'both.pem'].map((name) => join(folder, name));
  const names = ['-subj', '/CN=bench.test', '-addext', 'subjectAltName=DNS:bench.test'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '1', ...keys[type], ...names, ...files], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
  return { cert, key, both };
}
