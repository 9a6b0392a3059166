import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import {
  type Persistence,
  type PersistenceSpec,
  type PoolSpec,
  type QueueSpec,
  seededRandom,
  type TlsSpec,
  type VipSettings,
} from '../../src/index.ts';
import { leavesNothing } from '../fixtures/node/aftermath.ts';
import { Backend, Fleet } from '../fixtures/node/backend.ts';
import { HttpFleet } from '../fixtures/node/http/member.ts';
import type { Place } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { authority, identity } from '../fixtures/node/tls/scene.ts';
import { soon, until } from '../fixtures/node/until.ts';
import { node20 } from '../tls/recorded-hellos.ts';

const other = authority.issue({ name: 'b.example', serverNames: ['b.example'] });
const addresses = 6;

/** Two certificates, so that ClientHellos are looked at before; settings that differ, so that handshakes meet changes. */
const tls = (sessionTimeout: number): TlsSpec => ({
  certificates: [identity, other].map(({ cert, key }) => ({ cert, key })),
  sessionTimeout,
});

/** All that is left to chance, the same for one seed as far as the system permits. */
class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  upTo(most: number): number {
    return Math.floor(this.#random() * (most + 1));
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.upTo(items.length - 1)] as Item;
  }
}

/** A store that takes its time, fails, or throws. */
function moodyStore(chance: Chance): Persistence {
  const members = ['m1', 'm2', undefined];
  return {
    name: 'moody',
    timeout: 20,
    start: () => ({
      find: () => {
        if (chance.upTo(9) === 0) throw new Error('as told');
        if (chance.upTo(9) === 0) return Promise.reject(new Error('as told'));
        return chance.upTo(2) === 0 ? chance.of(members) : sleep(chance.upTo(40)).then(() => chance.of(members));
      },
      keep: () => (chance.upTo(9) === 0 ? Promise.reject(new Error('as told')) : undefined),
    }),
  };
}

/** One client: who the PROXY header says that it is, and what nobody but itself may ever be told. */
class Guest {
  readonly token: string;
  readonly source: string;
  readonly socket: Socket;
  readonly #chance: Chance;
  heard = '';
  isGone = false;

  constructor(place: Place, number: number, chance: Chance) {
    this.token = `t${number}`;
    this.source = `192.0.2.${1 + chance.upTo(addresses - 1)}`;
    this.#chance = chance;
    this.socket = connect({ ...place, allowHalfOpen: true, noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.isGone = true));
  }

  get header(): string {
    return `PROXY TCP4 ${this.source} 198.51.100.1 ${1024 + this.#chance.upTo(60_000)} 443\r\n`;
  }

  /** What it has got for its own; throws where anything of it is another's. */
  get mine(): number {
    const all = [...this.heard.matchAll(/<(t\d+)@([\d.]+)>/g)];
    for (const [, token, source] of all) expect([token, source]).toEqual([this.token, this.source]);
    return all.length;
  }

  /** Sends what it has in pieces, and leaves in the middle of something, or shortly after. */
  async spoil(bytes: Uint8Array): Promise<void> {
    this.socket.resume();
    const cut = this.#chance.upTo(bytes.length);
    const again = this.#chance.upTo(cut);
    this.socket.write(bytes.subarray(0, again));
    await sleep(this.#chance.upTo(5));
    this.socket.write(bytes.subarray(again, cut));
    await sleep(this.#chance.upTo(15));
    await this.leave(this.socket);
  }

  secure(): Socket {
    this.socket.write(this.header);
    const servername = this.#chance.of(['a.example', 'b.example', 'nobody.example']);
    const secured = connectTls({ socket: this.socket, servername, rejectUnauthorized: false });
    secured.on('error', () => this.socket.destroy());
    secured.on('data', (bytes) => (this.heard += bytes.toString('latin1')));
    return secured;
  }

  async leave(socket: Socket): Promise<void> {
    const how = this.#chance.upTo(2);
    if (how === 0 && this.socket.remoteAddress !== undefined) this.socket.resetAndDestroy();
    else if (how === 1) socket.end();
    else socket.destroy();
    if (how !== 1) return;
    await until(() => this.isGone || socket.readableEnded || socket.destroyed, 'its end is taken');
    this.socket.destroy();
  }
}

type Says = (guest: Guest, chance: Chance) => string;

/** A visit of a client that may be anything. */
async function visit(place: Place, number: number, chance: Chance, says: Says): Promise<Guest> {
  const guest = new Guest(place, number, chance);
  const kind = chance.upTo(9);
  const header = Buffer.from(guest.header);
  if (kind === 0) await guest.spoil(Buffer.from(Array.from({ length: 300 }, () => chance.upTo(255))));
  else if (kind === 1) await guest.spoil(Buffer.concat([header, node20]));
  else if (kind === 2) await guest.spoil(Buffer.concat([header, Buffer.from(says(guest, chance))]));
  else {
    const secured = guest.secure();
    secured.write(says(guest, chance));
    if (chance.upTo(2) === 0) await sleep(chance.upTo(30));
    else {
      const before = performance.now() + 1500;
      await until(() => guest.isGone || guest.mine > 0 || performance.now() > before, 'never', 10_000);
      if (chance.upTo(1) === 0) secured.write(says(guest, chance));
    }
    await guest.leave(secured);
    secured.destroy();
  }
  guest.socket.destroy();
  return guest;
}

/** Has so many clients come, a few at a time, while the settings change. */
async function storm(scene: Scene, chance: Chance, says: Says, persistences: readonly (PersistenceSpec | null)[]) {
  let number = 0;
  let isOver = false;
  let served = 0;
  const queues: (QueueSpec | null)[] = [null, { limit: 2 }, { limit: 50, timeout: 30 }, { limit: 50, timeout: 1000 }];
  const settings: VipSettings[] = [
    { connectionLimit: 4, backlog: 6 },
    { connectionLimit: null },
    { connectionLimit: 9, backlog: 100 },
    { clientLimits: null },
    { clientLimits: { maxConnections: 3 } },
    { clientLimits: { maxConnections: 6, rate: 200, burst: 20 } },
    { tls: tls(60_000) },
    { tls: tls(300_000) },
  ];
  const visitors = Array.from({ length: 20 }, async () => {
    while (number < 300) {
      const guest = await visit(scene.place, number++, chance, says);
      if (guest.mine > 0) served++;
    }
  });
  const change = async () => {
    while (!isOver) {
      await sleep(chance.upTo(20));
      const what = chance.upTo(3);
      if (what === 0) scene.pool.update({ queue: chance.of(queues) });
      else if (what === 1) scene.pool.update({ persistence: chance.of(persistences) });
      else if (what === 2) scene.vip.update(chance.of(settings));
      else {
        const member = scene.pool.get(chance.of(['m1', 'm2']));
        member?.update({ enabled: chance.upTo(3) > 0, maxConnections: chance.of([1, 3, null]) });
      }
    }
  };
  const changes = change();
  await soon(Promise.all(visitors), 'all have come and gone', 60_000);
  isOver = true;
  await changes;
  return served;
}

const everything = {
  acceptProxyProtocol: { trustedCidrs: ['127.0.0.1'], timeout: 2000 },
  tls: tls(300_000),
  connectionLimit: 9,
  backlog: 100,
  clientLimits: { maxConnections: 4 },
  timeouts: { handshake: 2000, client: 3000, member: 3000 },
} as const;

function poolOf(members: PoolSpec['members']): PoolSpec {
  return { members, queue: { limit: 50, timeout: 1000 } } as PoolSpec;
}

/** After the storm: every address has all of its connections again, and everybody is served. */
async function isCalm(scene: Scene, says: Says): Promise<void> {
  await scene.isAtRest();
  for (const member of scene.pool.members) member.update({ enabled: true, maxConnections: null });
  scene.pool.update({ persistence: null });
  scene.vip.update({ clientLimits: { maxConnections: 1 }, connectionLimit: 1 });
  const chance = new Chance(1);
  for (let number = 0; number < 3 * addresses; number++) {
    const guest = new Guest(scene.place, number, chance);
    const secured = guest.secure();
    secured.write(says(guest, chance));
    await until(() => guest.mine > 0 || guest.isGone, 'it is served');
    expect(guest.mine).toBeGreaterThan(0);
    guest.socket.destroy();
    await scene.isAtRest();
  }
}

test("a TCP virtual IP with everything on is at rest after a storm, and nobody gets what is another's", async () => {
  const chance = new Chance(20_261);
  const backends = await Promise.all(
    ['m1', 'm2'].map((name) => Backend.start({ name, does: (socket) => socket.pipe(socket) })),
  );
  await using fleet = new Fleet(backends);
  const members = fleet.members.map((member) => ({ ...member, maxConnections: 3 }));
  await using scene = await Scene.open(poolOf(members), everything);
  const says: Says = ({ token, source }) => `<${token}@${source}>`.repeat(1 + chance.upTo(4000));
  const served = await storm(scene, chance, says, [null, { type: 'source-ip' }, moodyStore(chance)]);
  expect(served).toBeGreaterThan(0);
  await isCalm(scene, says);
  await leavesNothing(scene, fleet);
}, 90_000);

test("an HTTP virtual IP with everything on is at rest after a storm, and nobody gets what is another's", async () => {
  const chance = new Chance(20_262);
  await using fleet = await HttpFleet.start(2, (heard) => {
    const { message } = heard;
    const token = heard.target.slice(1);
    const source = message.field('x-forwarded-for');
    const answer = () => heard.answer(`<${token}@${source}>`.repeat(1 + chance.upTo(2000)));
    if (chance.upTo(1) === 0) answer();
    else setTimeout(answer, chance.upTo(20));
  });
  const members = fleet.members.map((member) => ({ ...member, maxConnections: 3 }));
  const settings = { ...everything, protocol: 'http' as const, insertHeaders: { 'X-Forwarded-For': true } };
  await using scene = await Scene.open(poolOf(members), settings);
  const says: Says = ({ token }) => {
    const fields = `Host: a.example\r\nX-Forwarded-For: 203.0.113.${chance.upTo(255)}\r\nCookie: SRV=${chance.upTo(9)}; JSESSIONID=${chance.upTo(9)}\r\n`;
    return `GET /${token} HTTP/1.1\r\n${fields}\r\n`.repeat(1 + chance.upTo(3));
  };
  const persistences = [
    null,
    { type: 'http-cookie' },
    { type: 'app-cookie', name: 'JSESSIONID' },
    moodyStore(chance),
  ] as const;
  const served = await storm(scene, chance, says, persistences);
  expect(served).toBeGreaterThan(0);
  await isCalm(scene, says);
  await leavesNothing(scene, fleet);
}, 90_000);
