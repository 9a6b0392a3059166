import { count } from './page/pick-tables.mjs';

/** What the project set out to reach with picks. */
const within = [
  { strategy: 'round-robin', members: 10, most: 60 },
  { strategy: 'least-connections', members: 10, most: 200 },
  { strategy: 'power-of-two', members: 10, most: 100 },
  { strategy: 'peak-ewma', members: 10, most: 100 },
  { strategy: undefined, members: 100_000, most: 1000, alone: true },
  { strategy: undefined, members: 100_000, most: 1000 },
];
const leastTimesFaster = 20;
const mostTimesSorting = 20;
const mostForSafeguards = 60;

/** @param results of `benchPicks` */
export function judgePicks({ picks, lookups, tables, safeguards }) {
  return [
    ...within.map((target) => judgeCost(target, picks)),
    judgeLookups(lookups),
    judgeTables(tables),
    judgeSafeguards(safeguards),
  ].filter((verdict) => verdict !== undefined);
}

/** The slowest pattern of a strategy is what is held against its target. */
function judgeCost({ strategy, members, most, alone = false }, picks) {
  const rows = picks.filter((row) => row.isJudged && (strategy === undefined ? !row.isLinear : row.name === strategy));
  return judge(entriesOf(rows, members), {
    what: `${strategy ?? 'every strategy but rendezvous'}, ${alone ? 'the pick alone' : 'acquire + release'} at ${count(members)} members`,
    target: `at most ${most} ns`,
    figure: ({ pick, alone: picking }) => Math.round((alone ? (picking ?? pick) : pick).median),
    text: (nanoseconds) => `${nanoseconds} ns`,
    most,
    // A profile is of what is measured last.
    orderFor: (row) => ({
      label: alone ? `${row.label}, the pick alone` : row.label,
      order: alone ? row.order(members) : { ...row.order(members), alone: false },
    }),
  });
}

function judgeLookups(lookups) {
  const members = 1000;
  const peers = entriesOf(
    lookups.filter(({ isPeer }) => isPeer),
    members,
  ).filter(({ cell }) => cell.pick !== undefined);
  // With or without its cache, whichever is better for it.
  const theirs = Math.min(...peers.map(({ cell }) => cell.pick.median));
  if (!Number.isFinite(theirs)) return undefined;
  return judge(
    entriesOf(
      lookups.filter(({ isTarget }) => isTarget),
      members,
    ),
    {
      what: `look-ups by ring-hash and maglev at ${count(members)} members`,
      target: `at least ${leastTimesFaster} times faster than hashring`,
      figure: ({ pick }) => -tenths(theirs / pick.median),
      text: (times) => `${-times} times`,
      most: -leastTimesFaster,
    },
  );
}

function judgeTables(tables) {
  return judge(
    tables.flatMap((row) => row.sizes.flatMap((members) => entriesOf([row], members))),
    {
      what: 'every table, to prepare',
      target: `at most ${mostTimesSorting} times sorting as many numbers`,
      figure: ({ ratio }) => tenths(ratio),
      text: (ratio) => `${ratio} times`,
      most: mostTimesSorting,
    },
  );
}

function judgeSafeguards(safeguards) {
  const rows = safeguards.filter(({ isTarget }) => isTarget);
  return judge(
    rows.flatMap((row) => entriesOf([row], row.sizes[0])),
    {
      what: 'all safeguards on',
      target: `at most ${mostForSafeguards} ns more a lease`,
      figure: ({ more }) => Math.round(more.median),
      text: (nanoseconds) => `${nanoseconds} ns`,
      most: mostForSafeguards,
    },
  );
}

// Figures are judged as they are shown, so that the table does not contradict itself.
const tenths = (value) => Number(value.toFixed(1));

/** Those of the rows that were measured at a size, with the cell of that size. */
function entriesOf(rows, members) {
  return rows.flatMap((row) => {
    const cell = row.cells.find((each) => each.members === members);
    return cell === undefined ? [] : [{ row, cell }];
  });
}

/** The worst of the entries is held against the target; undefined where there are none. */
function judge(entries, { what, target, figure, text, most, orderFor = orderOf }) {
  const value = ({ cell }) => (cell.failed === undefined ? figure(cell) : Number.POSITIVE_INFINITY);
  const sorted = entries.toSorted((a, b) => value(b) - value(a));
  if (sorted.length === 0) return undefined;
  const [worst] = sorted;
  const over = sorted.filter((entry) => value(entry) > most);
  // One row for each strategy, the worst: the others miss for the same reason.
  const missedBy = over.filter(({ row }, n) => over.findIndex((other) => other.row.name === row.name) === n);
  return {
    what,
    target,
    measured: `${worst.cell.failed ?? text(value(worst))} (${labelOf(worst, entries)})`,
    isMet: over.length === 0,
    missedBy: missedBy.map(({ row, cell }) => orderFor(row, cell.members)),
  };
}

function orderOf({ label, life, ...row }, members) {
  return { label: life === undefined ? label : `${label}, ${life}`, order: row.order(members) };
}

/** With the number of members where the entries differ in it. */
function labelOf({ row, cell }, entries) {
  const { label, life } = row;
  const isOneSize = entries.every((entry) => entry.cell.members === cell.members);
  return [label, ...(life === undefined ? [] : [life]), ...(isOneSize ? [] : [`${count(cell.members)} members`])].join(
    ', ',
  );
}
