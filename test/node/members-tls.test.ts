import { createHash } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import { describe, expect, test, vi } from 'vitest';
import { type PoolSpec, systemClock } from '../../src/index.ts';
import { Backend, echoes, listensOnly, type Service } from '../fixtures/node/backend.ts';
import { ask, Client, refusalOf } from '../fixtures/node/client.ts';
import { noiseOf } from '../fixtures/node/http/noise.ts';
import { ownFolder, ownHost } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { Authority } from '../fixtures/node/tls/authority.ts';
import { TlsEntrance } from '../fixtures/node/tls/entrance.ts';
import { settled, until } from '../fixtures/node/until.ts';

const authority = new Authority();
const { cert, key } = authority.issue({ name: 'm.example', serverNames: ['m.example', 'localhost'] });
const ca = authority.cert;
const tls = { ca, serverName: 'm.example' };
const mebi = 1024 * 1024;
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

interface Secure extends AsyncDisposable {
  readonly member: Backend;
  readonly entrance: TlsEntrance;
  readonly scene: Scene;
}

/** A member that speaks TLS, and a virtual IP in front of it. */
async function secure(does: Service, options: TlsOptions = {}, pool: PoolSpec = {}): Promise<Secure> {
  const entrance = new TlsEntrance({ cert, key, ...options });
  const member = await Backend.start({ name: 'm', does: entrance.before(does) });
  const scene = await Scene.open({ members: [{ id: 'm', ...placeOf(member) }], tls, ...pool }, { retries: 0 });
  return {
    member,
    entrance,
    scene,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await member.stop();
    },
  };
}

function placeOf({ place }: Backend): { address: string; port: number } {
  if ('path' in place) throw new Error('a port');
  return { address: place.host, port: place.port };
}

const pours = (bytes: Buffer): Service => {
  return (socket) => {
    socket.end(bytes);
    socket.resume();
  };
};

describe.each(versions)('a member that speaks %s', (version) => {
  const only = { minVersion: version, maxVersion: version };

  test('gets what the client sends, and the client what it answers', async () => {
    await using stage = await secure(echoes, only);
    using client = await Client.connect(stage.scene.place);
    await client.isEchoed('hello');
    await client.isEchoed('and more');
    client.end();
    await client.ended();
    await stage.scene.isAtRest();
    expect(stage.entrance.greetings).toMatchObject([{ serverName: 'm.example', version, isResumed: false }]);
    expect(stage.scene.pool.stats).toMatchObject({ bytesIn: 13, bytesOut: 13, connectFailures: 0 });
  });

  test('may speak first', async () => {
    await using stage = await secure((socket) => socket.write('220 ready'), only);
    using client = await Client.connect(stage.scene.place);
    await client.receives('220 ready');
  });

  test('answers a client that has closed its sending half', async () => {
    let heard = '';
    await using stage = await secure((socket) => {
      socket.on('data', (chunk) => (heard += chunk)).on('end', () => socket.end(`all of ${heard.length}`));
    }, only);
    using client = await Client.connect(stage.scene.place);
    client.end('a question');
    await client.receives('all of 10');
    await client.closed();
    expect(client.error).toBeUndefined();
    await stage.scene.isAtRest();
  });

  test('closes its sending half, and still hears its client', async () => {
    let heard = '';
    await using stage = await secure((socket) => {
      socket.on('data', (chunk) => (heard += chunk)).end('goodbye');
    }, only);
    using client = await Client.connect(stage.scene.place);
    await client.receives('goodbye');
    await client.ended();
    client.end('one thing more');
    await until(() => heard === 'one thing more', 'the member hears it');
    await stage.scene.isAtRest();
  });

  test('is reset when its client is', async () => {
    let error: NodeJS.ErrnoException | undefined;
    await using stage = await secure((socket) => {
      socket.resume().on('error', (cause) => {
        error = cause;
      });
      socket.write('ready');
    }, only);
    const client = await Client.connect(stage.scene.place);
    await client.receives('ready');
    client.reset();
    await until(() => stage.member.sockets.size === 0, 'the member is let go');
    expect(error?.code).toBe('ECONNRESET');
    await stage.scene.isAtRest();
  });

  test('resets its client when it is reset', async () => {
    await using stage = await secure((socket) => socket.write('ready'), only);
    using client = await Client.connect(stage.scene.place);
    await client.receives('ready');
    for (const socket of stage.member.sockets) socket.resetAndDestroy();
    expect(await client.closed()).toBe('ECONNRESET');
    await stage.scene.isAtRest();
  });

  test('moves 20 MiB each way without losing a byte, also at a client that takes its time', async () => {
    const bytes = noiseOf(20 * mebi);
    const sha = createHash('sha1').update(bytes).digest('hex');
    await using stage = await secure(pours(bytes), only);
    const { place, member } = { place: stage.scene.place, member: stage.member };
    using slow = await Client.connect(place);
    const hash = createHash('sha1');
    let size = 0;
    slow.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      hash.update(chunk);
      size += chunk.length;
      if (size % 7 !== 0) return;
      slow.socket.pause();
      setTimeout(() => slow.socket.resume(), 1);
    });
    await until(() => size === bytes.length && slow.hasEnded, 'all of it arrives', 60_000);
    expect(hash.digest('hex')).toBe(sha);
    slow.end();
    await until(() => member.sockets.size === 0, 'the member is let go');
  }, 90_000);

  test('does not fill memory for a client that takes nothing', async () => {
    let written = 0;
    const piece = Buffer.alloc(mebi, 'x');
    await using stage = await secure((socket) => {
      const pour = (): void => {
        while (written < 512 * mebi) {
          written += piece.length;
          if (!socket.write(piece)) return void socket.once('drain', pour);
        }
      };
      socket.resume();
      pour();
    }, only);
    using client = await Client.connect(stage.scene.place);
    client.socket.pause();
    await settled(() => written, 'the member has to wait');
    expect(written).toBeLessThan(64 * mebi);
  });
});

describe('a connect to a member that speaks TLS', () => {
  test('leads to another member where that one does not prove who it is', async () => {
    const stranger = new Authority('somebody else').issue({ serverNames: ['m.example'] });
    const honest = new TlsEntrance({ cert, key });
    const forger = new TlsEntrance({ cert: stranger.cert, key: stranger.key });
    await using good = await Backend.start({ name: 'good', does: honest.before((socket) => socket.end('good')) });
    await using bad = await Backend.start({ name: 'bad', does: forger.before((socket) => socket.end('bad')) });
    const members = [
      { id: 'bad', ...placeOf(bad) },
      { id: 'good', ...placeOf(good) },
    ];
    await using scene = await Scene.open({ strategy: 'first', members, tls });
    expect(await ask(scene.place)).toBe('good');
    expect(scene.connectFailures).toEqual([{ memberId: 'bad', reason: expect.stringContaining('unable to') }]);
    expect(scene.member('bad').stats).toMatchObject({ connectFailures: 1, bytesIn: 0 });
    expect(forger.greetings).toEqual([]);
  });

  const old = { validFrom: new Date('2020-01-01T00:00:00Z'), validTo: new Date('2021-01-01T00:00:00Z') };
  for (const [what, wanted, pool, reason] of [
    ['is for another name', { serverNames: ['other.example'] }, {}, /Host: m\.example\. is not in the cert's altnames/],
    ['has run out', { serverNames: ['m.example'], ...old }, {}, /^certificate has expired$/],
    [
      'is not for its address',
      { serverNames: ['m.example'] },
      { serverName: null },
      /IP: 127\.\d+\.\d+\.\d+ is not in the cert's list/,
    ],
  ] as const) {
    test(`fails in words where its certificate ${what}`, async () => {
      const identity = authority.issue({ name: 'm.example', ...wanted });
      await using stage = await secure(
        listensOnly,
        { cert: identity.cert, key: identity.key },
        {
          tls: { ...tls, ...pool },
        },
      );
      expect(await refusalOf(stage.scene.place)).toBe('ECONNRESET');
      expect(stage.scene.connectFailures).toEqual([{ memberId: 'm', reason: expect.stringMatching(reason) }]);
    });
  }

  test('fails where its certificate is revoked, and not where it is another that is', async () => {
    const revoked = authority.issue({ serverNames: ['m.example'] });
    const crl = authority.revocations([revoked]);
    await using fine = await secure((socket) => socket.end('fine'), {}, { tls: { ...tls, crl } });
    expect(await ask(fine.scene.place)).toBe('fine');
    const { cert, key } = revoked;
    await using stage = await secure(listensOnly, { cert, key }, { tls: { ...tls, crl } });
    expect(await refusalOf(stage.scene.place)).toBe('ECONNRESET');
    expect(stage.scene.connectFailures).toEqual([{ memberId: 'm', reason: 'certificate revoked' }]);
  });

  test('does not care who the member is where it is told so', async () => {
    const stranger = new Authority('somebody else').issue({ name: 'nobody' });
    const options = { cert: stranger.cert, key: stranger.key };
    await using stage = await secure((socket) => socket.end('hello'), options, { tls: { verify: false } });
    expect(await ask(stage.scene.place)).toBe('hello');
    expect(stage.entrance.greetings).toMatchObject([{ serverName: undefined }]);
  });

  test('trusts what the runtime trusts where no authority is named, and this one it does not', async () => {
    await using stage = await secure(listensOnly, {}, { tls: true });
    expect(await refusalOf(stage.scene.place)).toBe('ECONNRESET');
    expect(stage.scene.connectFailures).toHaveLength(1);
  });

  test('fails in words where the member speaks something else', async () => {
    await using member = await Backend.start({ does: (socket) => socket.end('220 mail.example ESMTP\r\n') });
    await using scene = await Scene.open({ members: [member.at], tls }, { retries: 0 });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.connectFailures).toEqual([{ memberId: member.at, reason: expect.stringMatching(/^TLS: /) }]);
  });

  test('fails in words where the member closes in the handshake', async () => {
    await using member = await Backend.start({ does: (socket) => socket.once('data', () => socket.end()) });
    await using scene = await Scene.open({ members: [member.at], tls }, { retries: 0 });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.connectFailures).toEqual([
      { memberId: member.at, reason: 'the member closed the connection in the TLS handshake' },
    ]);
  });

  test('fails when the handshake has not ended by the time that a connect may take', async () => {
    await using member = await Backend.start({ does: listensOnly });
    const timeouts = { connect: 100 };
    await using scene = await Scene.open({ members: [member.at], tls }, { retries: 0, timeouts });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    const reason = `no connection to ${member.at} within 100 ms`;
    expect(scene.connectFailures).toEqual([{ memberId: member.at, reason }]);
    await until(() => member.sockets.size === 0, 'the member is let go');
    expect(member.bytesReceived).toBeGreaterThan(0);
  });

  test('fails where nobody listens, as ever', async () => {
    const address = ownHost();
    await using scene = await Scene.open({ members: [{ id: 'm', address, port: 9 }], tls }, { retries: 0 });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.connectFailures).toMatchObject([{ reason: expect.stringContaining('ECONNREFUSED') }]);
  });

  test('counts against a member where outliers are ejected', async () => {
    const stranger = new Authority('somebody else').issue({ serverNames: ['m.example'] });
    const outlierDetection = { splitLocalOrigin: true, consecutiveLocalOriginFailures: 2, maxEjectionPercent: 100 };
    const options = { cert: stranger.cert, key: stranger.key };
    await using stage = await secure(listensOnly, options, { outlierDetection });
    for (let turn = 0; turn < 2; turn++) await refusalOf(stage.scene.place);
    expect(stage.scene.pool.outlierStats).toMatchObject({
      detectedByCause: { 'consecutive-local-origin-failures': 1 },
    });
  });
});

// Of proxy_ssl_verify.t; what differs is told there and in docs/tls-to-members.md.
describe("a member's certificate, as in nginx's tests,", () => {
  const first = new Authority();
  const one = first.issue({
    name: 'no.match.example.com',
    serverNames: ['example.com', '*.example.com', '127.0.0.1'],
  });
  const two = first.issue({ name: '2.example.com' });

  for (const [what, identity, serverName, isGood] of [
    ['is good for a name of its subjectAltName', one, 'example.com', true],
    ['is good for a name of a wildcard', one, 'foo.example.com', true],
    ['is not good for a name of two labels below a wildcard', one, 'bar.foo.example.com', false],
    ['is not good for its common name where it has others', one, 'no.match.example.com', false],
    ['is good for its common name where it has no other', two, '2.example.com', true],
    ['is not good for another name than its common name', two, 'bad.example.com', false],
    ['is good for an address', one, '127.0.0.1', true],
    ['is not good for another address', one, '127.0.0.2', false],
    ['is not good for an address of IPv6 that it does not name', one, '::2', false],
  ] as const) {
    test(what, async () => {
      const options = { cert: identity.cert, key: identity.key };
      await using stage = await secure((socket) => socket.end('hi'), options, { tls: { ca: first.cert, serverName } });
      expect(await refusalOf(stage.scene.place)).toBe(isGood ? "answered 'hi'" : 'ECONNRESET');
    });
  }

  test('is not good where its authority is not trusted', async () => {
    const options = { cert: two.cert, key: two.key };
    const pool = { tls: { ca: authority.cert, serverName: '2.example.com' } };
    await using stage = await secure((socket) => socket.end('hi'), options, pool);
    expect(await refusalOf(stage.scene.place)).toBe('ECONNRESET');
  });
});

describe('the way to a member that speaks TLS', () => {
  test('may be a host name, which is asked for and verified', async () => {
    const entrance = new TlsEntrance({ cert, key });
    await using member = await Backend.start({
      host: '127.0.0.1',
      does: entrance.before((socket) => socket.end('hi')),
    });
    const members = [{ address: 'localhost', port: member.port }];
    await using scene = await Scene.open({ members, tls: { ca } });
    expect(await ask(scene.place)).toBe('hi');
    expect(entrance.greetings).toMatchObject([{ serverName: 'localhost' }]);
  });

  test('may be a Unix socket', async () => {
    await using folder = await ownFolder();
    const entrance = new TlsEntrance({ cert, key });
    const path = `${folder.path}/member`;
    await using _member = await Backend.start({ path, does: entrance.before((socket) => socket.end('hi')) });
    await using scene = await Scene.open({ members: [`unix:${path}`], tls });
    expect(await ask(scene.place)).toBe('hi');
    expect(entrance.greetings).toMatchObject([{ serverName: 'm.example' }]);
  });

  test('shows a certificate to a member that asks for one, its key encrypted or not', async () => {
    const identity = authority.issue({ name: 'balancer' });
    const encrypted = identity.privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open sesame',
    }) as string;
    const wants = { requestCert: true, rejectUnauthorized: true, ca };
    for (const own of [
      { cert: identity.cert, key: identity.key },
      { cert: identity.cert, key: encrypted, passphrase: 'open sesame' },
    ]) {
      await using stage = await secure((socket) => socket.end('hi'), wants, { tls: { ...tls, ...own } });
      expect(await ask(stage.scene.place)).toBe('hi');
      expect(stage.entrance.greetings).toMatchObject([{ shown: 'balancer' }]);
    }
  });

  test('fails at connecting in TLS 1.2, and just after in TLS 1.3, where the member wants a certificate and gets none', async () => {
    const wants = { requestCert: true, rejectUnauthorized: true, ca };
    for (const maxVersion of versions) {
      await using stage = await secure(listensOnly, { ...wants, maxVersion });
      expect(await refusalOf(stage.scene.place)).toBe('ECONNRESET');
      await stage.scene.isAtRest();
      expect(stage.scene.connectFailures).toHaveLength(maxVersion === 'TLSv1.2' ? 1 : 0);
    }
  });

  test('keeps to the versions, ciphers and protocols that it is told', async () => {
    const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305';
    const pool = { tls: { ...tls, maxVersion: 'TLSv1.2', ciphers, alpn: ['b', 'a'] } } as const;
    await using stage = await secure((socket) => socket.end('hi'), { ALPNProtocols: ['a', 'b'] }, pool);
    expect(await ask(stage.scene.place)).toBe('hi');
    expect(stage.entrance.greetings).toMatchObject([{ version: 'TLSv1.2', cipher: ciphers, alpn: 'a' }]);
  });

  test('refuses a member of an older version', async () => {
    await using stage = await secure(
      listensOnly,
      { maxVersion: 'TLSv1.2' },
      { tls: { ...tls, minVersion: 'TLSv1.3' } },
    );
    expect(await refusalOf(stage.scene.place)).toBe('ECONNRESET');
    expect(stage.scene.connectFailures).toMatchObject([{ reason: expect.stringMatching(/^TLS: .*protocol version/) }]);
  });
});

describe('a session', () => {
  for (const version of versions) {
    test(`of ${version} is gone on with at the next connection`, async () => {
      await using stage = await secure(echoes, { maxVersion: version });
      const { scene, entrance } = stage;
      for (let turn = 0; turn < 3; turn++) {
        using client = await Client.connect(scene.place);
        await client.isEchoed('hello');
        client.end();
        await client.ended();
      }
      expect(entrance.greetings.map(({ isResumed }) => isResumed)).toEqual([false, true, true]);
    });
  }

  test('is not gone on with where that is off', async () => {
    await using stage = await secure((socket) => socket.end('hi'), {}, { tls: { ...tls, resume: false } });
    for (let turn = 0; turn < 3; turn++) await ask(stage.scene.place);
    expect(stage.entrance.greetings.map(({ isResumed }) => isResumed)).toEqual([false, false, false]);
  });

  test('is not gone on with after the settings have changed, nor at another name, nor at another address', async () => {
    const does: Service = (socket) => void socket.once('data', () => socket.end('hi'));
    await using stage = await secure(does);
    const { scene, entrance, member } = stage;
    const other = await Backend.start({ does: entrance.before(does) });
    await ask(scene.place);
    await ask(scene.place);
    scene.pool.update({ tls: { minVersion: 'TLSv1.3' } });
    await ask(scene.place);
    scene.pool.update({ tls: { minVersion: 'TLSv1.3' } });
    await ask(scene.place);
    scene.pool.update({ tls: { serverName: 'localhost' } });
    await ask(scene.place);
    scene.member('m').update(placeOf(other));
    await ask(scene.place);
    await ask(scene.place);
    expect(entrance.greetings.map(({ isResumed }) => isResumed)).toEqual([
      false,
      true,
      false,
      true,
      false,
      false,
      true,
    ]);
    await other.stop();
    await until(() => member.sockets.size === 0, 'the first member is let go');
  });

  test('is gone on with for an hour; then the member has to show its certificate again', async () => {
    await using stage = await secure((socket) => socket.end('hi'));
    const realNow = systemClock.now.bind(systemClock);
    let minutes = 0;
    const now = vi.spyOn(systemClock, 'now').mockImplementation(() => realNow() + minutes * 60_000);
    try {
      for (minutes of [0, 25, 50, 75, 100]) await ask(stage.scene.place);
    } finally {
      now.mockRestore();
    }
    expect(stage.entrance.greetings.map(({ isResumed }) => isResumed)).toEqual([false, true, true, false, true]);
  });

  test('that the member has forgotten costs no client anything', async () => {
    const entrances: TlsEntrance[] = [];
    let does = (() => {
      const entrance = new TlsEntrance({ cert, key, ticketKeys: Buffer.alloc(48, 1) });
      entrances.push(entrance);
      return entrance.before((socket) => socket.end('one'));
    })();
    await using member = await Backend.start({ does: (socket, backend) => does(socket, backend) });
    await using scene = await Scene.open({ members: [member.at], tls });
    expect(await ask(scene.place)).toBe('one');
    const entrance = new TlsEntrance({ cert, key, ticketKeys: Buffer.alloc(48, 2) });
    entrances.push(entrance);
    does = entrance.before((socket) => socket.end('two'));
    expect(await ask(scene.place)).toBe('two');
    expect(entrances.map(({ greetings }) => greetings.map(({ isResumed }) => isResumed))).toEqual([[false], [false]]);
    expect(scene.connectFailures).toEqual([]);
  });

  /** Has what is behind it only after a look at what the client says first: whether it offers a session of TLS 1.2. */
  function looking(does: Service, sees: (offersSession: boolean) => boolean): Service {
    // RFC 5077, section 3.2: without a ticket the extension is empty.
    const noTicket = Buffer.from([0, 35, 0, 0]);
    return (socket, backend) => {
      socket.once('data', (hello: Buffer) => {
        if (!sees(!hello.includes(noTicket))) return void socket.resetAndDestroy();
        socket.pause();
        socket.unshift(hello);
        does(socket, backend);
      });
    };
  }

  test('that the member cannot bear is not tried on it twice', async () => {
    const entrance = new TlsEntrance({ cert, key, maxVersion: 'TLSv1.2' });
    const over = entrance.before((socket) => socket.end('hi'));
    await using member = await Backend.start({ does: looking(over, (offersSession) => !offersSession) });
    await using scene = await Scene.open({ members: [member.at], tls }, { retries: 0 });
    const fates: string[] = [];
    for (let turn = 0; turn < 4; turn++) fates.push(await refusalOf(scene.place));
    expect(fates).toEqual(["answered 'hi'", 'ECONNRESET', "answered 'hi'", 'ECONNRESET']);
  });

  test('is not offered where a member has moved to', async () => {
    const offers: boolean[] = [];
    const entrance = new TlsEntrance({ cert, key, maxVersion: 'TLSv1.2' });
    const does = looking(
      entrance.before((socket) => socket.end('hi')),
      (offersSession) => offers.push(offersSession) > 0,
    );
    await using before = await Backend.start({ does });
    await using after = await Backend.start({ does });
    await using scene = await Scene.open({ members: [{ id: 'm', ...placeOf(before) }], tls });
    for (const place of [before, before, after, after]) {
      scene.member('m').update(placeOf(place));
      expect(await ask(scene.place)).toBe('hi');
    }
    expect(offers).toEqual([false, true, false, true]);
  });

  test('of a member whose certificate was good is no pass for one whose certificate is not', async () => {
    const stranger = new Authority('somebody else').issue({ serverNames: ['m.example'] });
    let entrance = new TlsEntrance({ cert, key });
    await using member = await Backend.start({
      does: (socket, backend) => entrance.before((secured) => secured.end('hi'))(socket, backend),
    });
    await using scene = await Scene.open({ members: [member.at], tls }, { retries: 0 });
    expect(await ask(scene.place)).toBe('hi');
    entrance = new TlsEntrance({ cert: stranger.cert, key: stranger.key });
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.connectFailures).toHaveLength(1);
  });
});

describe('an update of tls', () => {
  test('concerns new connections, and leaves those that stand alone', async () => {
    await using stage = await secure(echoes);
    const { scene } = stage;
    using before = await Client.connect(scene.place);
    await before.isEchoed('over TLS');
    scene.pool.update({ tls: { serverName: 'nobody.example' } });
    await before.isEchoed('still');
    expect(await refusalOf(scene.place)).toBe('ECONNRESET');
    expect(scene.connectFailures).toHaveLength(1);
    scene.pool.update({ tls: { serverName: 'm.example' } });
    using after = await Client.connect(scene.place);
    await after.isEchoed('again');
  });

  test('can begin it, and end it', async () => {
    let isPlain = true;
    const entrance = new TlsEntrance({ cert, key });
    const over = entrance.before((socket) => void socket.once('data', () => socket.end('TLS')));
    await using member = await Backend.start({
      does: (socket, backend) => {
        if (isPlain) socket.once('data', () => socket.end('plain'));
        else over(socket, backend);
      },
    });
    await using scene = await Scene.open({ members: [member.at] });
    expect(await ask(scene.place)).toBe('plain');
    scene.pool.update({ tls });
    isPlain = false;
    expect(await ask(scene.place)).toBe('TLS');
    scene.pool.update({ tls: false });
    isPlain = true;
    expect(await ask(scene.place)).toBe('plain');
    expect(scene.pool.tls).toBeUndefined();
  });

  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const secret = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
  for (const [what, change, path] of [
    ['an authority', { ca: broken }, 'tls.ca'],
    ['a certificate', { cert: broken, key }, 'tls.cert'],
    ['a key', { cert, key: secret }, 'tls.key'],
    ["another certificate's key", { cert, key: authority.issue().key }, 'tls.key'],
    ['a list of revoked certificates', { crl: broken.replaceAll('CERTIFICATE', 'X509 CRL') }, 'tls.crl'],
    ['ciphers', { ciphers: 'NONESUCH' }, 'tls.ciphers'],
  ] as const) {
    test(`is refused as a whole where ${what} cannot be used, and shows none of it`, async () => {
      await using stage = await secure((socket) => socket.end('hi'));
      const { pool, place } = stage.scene;
      const before = pool.tls;
      let error: unknown;
      try {
        pool.update({ tls: change, enabled: false });
      } catch (cause) {
        error = cause;
      }
      expect(error).toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path });
      expect(JSON.stringify([error, (error as Error).message])).not.toMatch(/AAAA|BEGIN/);
      expect([pool.tls, pool.enabled]).toEqual([before, true]);
      expect(await ask(place)).toBe('hi');
    });

    test(`is what a virtual IP does not begin to listen with where ${what} cannot be used`, async () => {
      const opening = Scene.open({ members: ['127.0.0.1:9'], tls: { ...tls, ...change } });
      await expect(opening).rejects.toMatchObject({ code: 'ERR_EVENKEEL_SPEC', path });
    });
  }
});
