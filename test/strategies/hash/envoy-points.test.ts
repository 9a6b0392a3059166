import { describe, expect, test } from 'vitest';
import type { Member } from '../../../src/core/member.ts';
import { digest } from '../../../src/strategies/hash/digest.ts';
import { type EnvoyPlacement, envoyPoints } from '../../../src/strategies/hash/envoy-points.ts';
import { xxHash64 } from '../../../src/strategies/hash/xx-hash.ts';
import { localMembers, localPorts, namedMembers } from '../../fixtures/hash-tables.ts';

// All of Envoy's test/extensions/load_balancing_policies/ring_hash/ring_hash_lb_test.cc.

function placement(minRingSize: number, maxRingSize = 8_388_608): EnvoyPlacement {
  return { hash: 'xx-hash', minRingSize, maxRingSize };
}

/** The points in order, as Envoy's comments have them: `member@place`. */
function ring(
  members: readonly Member[],
  how: EnvoyPlacement,
  name = ({ port }: Member): string => `${port}`,
): string[] {
  const { high, low, owner } = envoyPoints(members, how);
  const points = Array.from(high, (half, at) => ({
    place: (BigInt(half) << 32n) | BigInt(low[at] as number),
    member: members[owner[at] as number] as Member,
  }));
  return points.sort((a, b) => (a.place < b.place ? -1 : 1)).map(({ place, member }) => `${name(member)}@${place}`);
}

/** How many points each member has. */
function counts(members: readonly Member[], how: EnvoyPlacement): number[] {
  const points = members.map(() => 0);
  for (const owner of envoyPoints(members, how).owner) (points[owner] as number)++;
  return points;
}

describe("Envoy's rings come out point by point", () => {
  test('six equal members, twelve points', () => {
    expect(ring(localPorts(90, 6), placement(12))).toEqual([
      '94@833437586790550860',
      '92@928266305478181108',
      '90@1033482794131418490',
      '95@3551244743356806947',
      '93@3851675632748031481',
      '91@5583722120771150861',
      '91@6311230543546372928',
      '93@7700377290971790572',
      '95@13144177310400110813',
      '92@13444792449719432967',
      '94@15516499411664133160',
      '90@16117243373044804889',
    ]);
  });

  test('the same by Murmur', () => {
    expect(ring(localPorts(80, 6), { ...placement(12), hash: 'murmur-2' })).toEqual([
      '85@1358027074129602068',
      '83@4361834613929391114',
      '84@7224494972555149682',
      '81@7701421856454313576',
      '82@8649315368077433379',
      '84@8739448859063030639',
      '81@9887544217113020895',
      '82@10150910876324007731',
      '83@15168472011420622455',
      '80@15427156902705414897',
      '85@16375050414328759093',
      '80@17613279263364193813',
    ]);
  });

  test('members with ids of their own, as with a hostname or a hash_key', () => {
    const members = namedMembers({ 90: 1, 91: 1, 92: 1, 93: 1, 94: 1, 95: 1 });
    expect(ring(members, placement(12), ({ id }) => id)).toEqual([
      '95@1975508444536362413',
      '95@2376063919839173711',
      '93@2386806903309390596',
      '94@6749904478991551885',
      '93@6803900775736438537',
      '92@7225015537174310577',
      '90@8787465352164086522',
      '92@11282020843382717940',
      '91@13723418369486627818',
      '90@13776502110861797421',
      '91@14338313586354474791',
      '94@15364271037087512980',
    ]);
  });

  test('two members and at least three points make four', () => {
    expect(ring(localPorts(80, 2), placement(3))).toEqual([
      '80@5454692015285649509',
      '81@7859399908942313493',
      '80@13838424394637650569',
      '81@16064866803292627174',
    ]);
    expect(ring(localPorts(81, 2), placement(3))).toEqual([
      '81@7859399908942313493',
      '82@8241336090459785962',
      '82@12882406409176325258',
      '81@16064866803292627174',
    ]);
  });

  test('weights 1, 2, 3 on exactly six points', () => {
    expect(ring(localMembers({ 90: 1, 91: 2, 92: 3 }), placement(6, 6))).toEqual([
      '92@928266305478181108',
      '92@4443673547860492590',
      '91@5583722120771150861',
      '91@6311230543546372928',
      '92@13444792449719432967',
      '90@16117243373044804889',
    ]);
  });

  test('weights 1, 2, 2, 4 on exactly nine points', () => {
    expect(ring(localMembers({ 90: 1, 91: 2, 92: 2, 93: 4 }), placement(9, 9))).toEqual([
      '92@928266305478181108',
      '93@3851675632748031481',
      '91@5583722120771150861',
      '91@6311230543546372928',
      '93@7700377290971790572',
      '93@12559126875973811811',
      '92@13444792449719432967',
      '93@13784988426630141778',
      '90@16117243373044804889',
    ]);
  });
});

describe('how many points a member gets', () => {
  test('is in proportion to its weight, the lightest getting a whole number', () => {
    expect(counts(localMembers({ 90: 1, 91: 2, 92: 3 }), placement(6144))).toEqual([1024, 2048, 3072]);
  });

  test('is rounded up, so that the ring has minRingSize points or more', () => {
    expect(counts(localPorts(80, 3), placement(1024))).toEqual([342, 342, 342]);
  });

  test('differs by one where maxRingSize leaves no whole share', () => {
    expect(counts(localPorts(90, 2), placement(1023, 1023))).toEqual([512, 511]);
  });

  test('is at least one while the ring has room for that', () => {
    expect(new Set(counts(localPorts(1000, 3000), placement(1024)))).toEqual(new Set([1]));
  });

  test('is none for some where there are more members than the ring has points', () => {
    expect(counts(localPorts(90, 4), placement(2, 2)).sort()).toEqual([0, 0, 1, 1]);
  });

  test('does not depend on the order of the members, even where shares are no whole numbers', () => {
    const weights = { 90: 3, 91: 7, 92: 5, 93: 2, 94: 11 };
    const members = localMembers(weights);
    const reversed = [...members].reverse();
    expect(ring(reversed, placement(100))).toEqual(ring(members, placement(100)));
  });
});

test('the numbers of points are hashed with all their digits', () => {
  const { high, low } = envoyPoints(localPorts(80, 1), placement(100_001));
  for (const number of [0, 9, 10, 99, 100, 999, 1000, 99_999, 100_000]) {
    xxHash64(`127.0.0.1:80_${number}`);
    expect([(high[number] as number) | 0, (low[number] as number) | 0]).toEqual([...digest]);
  }
});
