import { spawn, spawnSync } from 'node:child_process';
import { isHostName, isIp } from '../../core/address.ts';
import { printable, SpecError } from '../../core/errors.ts';
import { InconclusiveError } from '../../health/inconclusive-error.ts';
import type { Probe, ProbeTarget } from '../../health/probe.ts';

/** How long the system's `ping` has to reach this machine itself, in milliseconds. */
const longestTrial = 1000;
/** How much of what it complains about is read, in characters. */
const longestComplaint = 500;

/**
 * Passes where the member answers an ICMP echo, a real one that the system's `ping` sends: a process for each check. Where there is
 * no `ping`, or it may not send one, no such probe can be made.
 *
 * Throws `SpecError` then.
 */
export function pingProbe<T = unknown>(path = 'type'): Probe<T> {
  const obstacle = obstacleToPing();
  if (obstacle !== undefined) {
    throw new SpecError(path, 'ping', `another type, since this machine cannot send an ICMP echo (${obstacle})`);
  }
  return { name: 'ping', check: ping };
}

/** What `ping` was found by when it worked. */
let provenBy: string | undefined;

/** Why this machine cannot ping; undefined where it can. Once it could, it is not tried again. */
function obstacleToPing(): string | undefined {
  const { PATH } = process.env;
  if (provenBy !== undefined && provenBy === PATH) return undefined;
  if (process.platform === 'win32') return 'not on Windows';
  // Half a millisecond where there is an answer, and nobody is checked before it is known.
  const { error, status, stderr } = spawnSync('ping', argumentsFor('127.0.0.1'), {
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'latin1',
    timeout: longestTrial,
    killSignal: 'SIGKILL',
  });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  // Where this machine does not answer itself, an echo was sent all the same.
  if (code === 'ETIMEDOUT' || status === 0 || (status === 1 && stderr === '')) {
    provenBy = PATH;
    return undefined;
  }
  if (code === 'ENOENT') return 'there is no ping';
  if (error !== undefined) return error.message;
  return complaintOf(stderr) ?? `ping ended with ${status}`;
}

function ping({ address, signal }: ProbeTarget<never>): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    if (!isPingable(address)) throw new Error('only an IP address or a host name can be pinged');
    const child = spawn('ping', argumentsFor(address), { env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    const abort = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', abort, { once: true });
    child.stderr.setEncoding('latin1').on('data', (text: string) => {
      if (complaint.length < longestComplaint) complaint += text.slice(0, longestComplaint);
    });
    child.on('error', (cause) => {
      signal.removeEventListener('abort', abort);
      reject(new InconclusiveError(cause.message, { cause }));
    });
    child.on('close', (code) => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve();
      else reject(failureOf(complaint));
    });
  });
}

/** One echo, and no names of addresses looked up; how long it may take is up to the monitor. Understood by every `ping` of Unix. */
function argumentsFor(address: string): string[] {
  return ['-n', '-c', '1', '--', address];
}

/** Nothing of ours but where programs are found, and messages as they are known. */
function environment(): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return { LC_ALL: 'C', ...(PATH === undefined ? {} : { PATH }) };
}

/** What could be taken for an option is neither. */
function isPingable(address: string): boolean {
  return !address.startsWith('-') && (isIp(address) || isHostName(address));
}

function failureOf(stderr: string): Error {
  const complaint = complaintOf(stderr) ?? 'no ICMP echo reply';
  return isForbidden.test(complaint) ? new InconclusiveError(complaint) : new Error(complaint);
}

const isForbidden = /not permitted|permission denied|privilege|resource temporarily unavailable/i;

/** The first line that says something. */
function complaintOf(stderr: string): string | undefined {
  const line = stderr.split('\n').find((text) => text.trim() !== '');
  return line === undefined ? undefined : printable(line.trim().slice(0, longestComplaint));
}
