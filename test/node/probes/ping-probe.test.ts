import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { InconclusiveError } from '../../../src/index.ts';
import { pingProbe } from '../../../src/node/index.ts';
import { rejectionOf, thrownBy } from '../../fixtures/core.ts';
import { check, verdict } from '../../fixtures/node/check.ts';
import { closedPort, type Folder, ownFolder } from '../../fixtures/node/places.ts';
import { Scene } from '../../fixtures/node/scene.ts';
import { until } from '../../fixtures/node/until.ts';

const { PATH = '' } = process.env;

afterEach(() => {
  process.env['PATH'] = PATH;
});

/** A machine whose `ping` is this shell script; `$5` is whom it is to ping. */
async function machine(ping: string | undefined): Promise<Folder> {
  const folder = await ownFolder();
  if (ping !== undefined) {
    await writeFile(join(folder.path, 'ping'), `#!/bin/sh\ncd ${folder.path}\n${ping}\n`);
    await chmod(join(folder.path, 'ping'), 0o755);
  }
  process.env['PATH'] = folder.path;
  return folder;
}

/** A machine that reaches itself, and with any other address does this. */
const reachesItselfOnly = (otherwise: string) => machine(`[ "$5" = 127.0.0.1 ] && exit 0\n${otherwise}`);

describe('where the system cannot ping', () => {
  for (const [why, ping, reason] of [
    ['there is no ping', undefined, 'there is no ping'],
    ['it may not', 'echo "ping: socktype: SOCK_RAW" >&2; exit 2', 'ping: socktype: SOCK_RAW'],
    ['it may not, in the words of busybox', 'echo "ping: permission denied (are you root?)" >&2; exit 1', 'root'],
    ['its ping says nothing', 'exit 3', 'ping ended with 3'],
  ] as const) {
    test(`the probe is refused: ${why}`, async () => {
      await using _machine = await machine(ping);
      const error = thrownBy(() => pingProbe()) as Error;
      expect(error).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path: 'type', value: 'ping' });
      expect(error.message).toContain(reason);
    });
  }

  test('the monitor is refused when a virtual IP is to listen', async () => {
    await using _machine = await machine(undefined);
    const error = await rejectionOf(Scene.open({ members: [closedPort()], healthMonitor: { type: 'ping' } }));
    expect(error).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path: 'healthMonitor.type' });
  });

  test('the monitor is refused in an update, which changes nothing', async () => {
    await using scene = await Scene.open({ members: [closedPort()] });
    await using _machine = await machine(undefined);
    const error = thrownBy(() => scene.pool.update({ healthMonitor: { type: 'ping' }, members: [] }));
    expect(error).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path: 'healthMonitor.type' });
    expect([scene.pool.healthMonitor, scene.pool.members.length]).toEqual([undefined, 1]);
  });
});

describe('a ping', () => {
  test('is one echo to the member’s address, which cannot be taken for an option', async () => {
    await using folder = await machine('printf "%s\\n" "$*" >>asked');
    for (const at of ['10.0.0.1:80', '[fe80::1%eth0]:80', 'a.example:80']) {
      expect(await verdict(pingProbe(), at)).toBe('passed');
    }
    const asked = await readFile(join(folder.path, 'asked'), 'utf8');
    expect(asked.trim().split('\n')).toEqual([
      '-n -c 1 -- 127.0.0.1',
      '-n -c 1 -- 10.0.0.1',
      '-n -c 1 -- fe80::1%eth0',
      '-n -c 1 -- a.example',
    ]);
  });

  test('gets nothing of our environment but where programs are', async () => {
    process.env['EVENKEEL_SECRET'] = 'hunter2';
    await using folder = await machine('/usr/bin/env >environment');
    await verdict(pingProbe(), '10.0.0.1:80');
    delete process.env['EVENKEEL_SECRET'];
    const environment = await readFile(join(folder.path, 'environment'), 'utf8');
    expect(environment).toContain('LC_ALL=C');
    expect(environment).not.toContain('hunter2');
  });

  test('fails where there is no answer', async () => {
    await using _machine = await reachesItselfOnly('exit 1');
    expect(await verdict(pingProbe(), '10.0.0.1:80')).toBe('no ICMP echo reply');
  });

  test('fails with what the system says', async () => {
    await using _machine = await reachesItselfOnly('echo "ping: connect: Network is unreachable" >&2; exit 2');
    expect(await verdict(pingProbe(), '10.0.0.1:80')).toBe('ping: connect: Network is unreachable');
  });

  test('says nothing of the member where we may not ping any more', async () => {
    await using _machine = await reachesItselfOnly('echo "ping: socket: Operation not permitted" >&2; exit 2');
    expect(await rejectionOf(check(pingProbe(), '10.0.0.1:80'))).toBeInstanceOf(InconclusiveError);
  });

  test('says nothing of the member where ping is gone', async () => {
    await using folder = await machine('exit 0');
    const probe = pingProbe();
    process.env['PATH'] = join(folder.path, 'nowhere');
    expect(await rejectionOf(check(probe, '10.0.0.1:80'))).toBeInstanceOf(InconclusiveError);
  });

  test('is not asked of a Unix socket', async () => {
    await using _machine = await machine('exit 0');
    expect(await verdict(pingProbe(), 'unix:/run/a')).toBe('only an IP address or a host name can be pinged');
  });

  test('is killed when the signal aborts, and has ended when that is known', async () => {
    await using folder = await reachesItselfOnly('echo $$ >pid; exec /bin/sleep 1000');
    const controller = new AbortController();
    const answer = rejectionOf(check(pingProbe(), '10.0.0.1:80', controller.signal));
    let pid = 0;
    await until(async () => {
      pid = Number(await readFile(join(folder.path, 'pid'), 'utf8').catch(() => ''));
      return pid > 0;
    }, 'it runs');
    controller.abort(new Error('too late'));
    expect(await answer).toMatchObject({ message: 'too late' });
    expect(thrownBy(() => process.kill(pid, 0))).toMatchObject({ code: 'ESRCH' });
  });

  test('may complain at length, which is not kept', async () => {
    const complains = 'i=0; while [ $i -lt 5000 ]; do echo "complaint complaint" >&2; i=$((i+1)); done; exit 2';
    await using _machine = await reachesItselfOnly(complains);
    expect(await verdict(pingProbe(), '10.0.0.1:80')).toBe('complaint complaint');
  });

  test('does not begin where the signal has aborted before', async () => {
    await using _machine = await machine('exit 0');
    const error = await rejectionOf(check(pingProbe(), '10.0.0.1:80', AbortSignal.abort(new Error('never'))));
    expect(error).toMatchObject({ message: 'never' });
  });
});
