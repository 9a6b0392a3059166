import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Member } from '../../src/core/member.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Persistence, PersistenceRequest, PersistenceTable } from '../../src/persistence/persistence.ts';
import { sourceIpPersistence } from '../../src/persistence/source-ip-persistence.ts';
import { equal, makePool } from '../fixtures/core.ts';
import { serve, started } from './stage.ts';

/** A store that several balancers share; it answers when it has got round to it. */
class SharedStore {
  readonly entries = new Map<string, string>();
  asked = 0;
  isDown = false;

  async get(key: string): Promise<string | undefined> {
    this.asked++;
    await undefined;
    if (this.isDown) throw new Error('the store is down');
    return this.entries.get(key);
  }

  async set(key: string, value: string): Promise<void> {
    await undefined;
    this.entries.set(key, value);
  }
}

/** A user's persistence: what is known here is answered at once, and only what is not is looked up in the store. */
function shared(store: SharedStore): Persistence {
  return {
    name: 'shared',
    start: (context) => {
      const near = sourceIpPersistence({ maxEntries: 1000 }).start(context);
      return {
        find(request): string | undefined | PromiseLike<string | undefined> {
          return near.find(request) ?? store.get(request.clientAddress ?? '');
        },
        async keep(request: PersistenceRequest, member: Member): Promise<void> {
          near.keep(request, member);
          await store.set(request.clientAddress ?? '', member.id);
        },
        forget: (member) => near.forget?.(member),
      };
    },
  };
}

function balancers(store: SharedStore, count: number) {
  return Array.from({ length: count }, (_, number) => {
    const stage = { clock: new VirtualClock(), random: seededRandom(number) };
    const pool = makePool({ members: equal(5) }, stage);
    const table: PersistenceTable = started(shared(store), stage, pool);
    return async (clientAddress: string): Promise<string> => {
      const { member, isKept } = await serve(pool, table, { clientAddress }, stage);
      return isKept ? `${member.id} again` : member.id;
    };
  });
}

describe("a persistence of the user's, over a shared store", () => {
  test('keeps a client on its member whichever balancer it comes through', async () => {
    const store = new SharedStore();
    const [one = async () => '', other = async () => ''] = balancers(store, 2);
    expect([await one('10.0.0.1'), await one('10.0.0.2')]).toEqual(['m0', 'm1']);
    expect([await other('10.0.0.2'), await other('10.0.0.1')]).toEqual(['m1 again', 'm0 again']);
  });

  test('does not ask the store for what it knows', async () => {
    const store = new SharedStore();
    const [visit = async () => ''] = balancers(store, 1);
    for (let time = 0; time < 5; time++) await visit('10.0.0.1');
    expect(store.asked).toBe(1);
  });

  test('serves clients while the store is down', async () => {
    const store = new SharedStore();
    const [visit = async () => ''] = balancers(store, 1);
    store.isDown = true;
    expect([await visit('10.0.0.1'), await visit('10.0.0.1')]).toEqual(['m0', 'm0 again']);
  });
});
