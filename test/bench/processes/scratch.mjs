import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the benchmark ends. */
export function scratchFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));
  folders.push(folder);
  return folder;
}
