/**
 * The rows of a table: who took part, and the figures of all rounds, undefined where a contestant has not done them all. Ratios are taken
 * within each round and their median is shown, since the machine's speed changes between rounds.
 *
 * @param racers of `measureCpu` or `measureMemory`, one for each of `entries`
 * @param floor the name of the contestant that ratios are to
 */
export function rowsOf(entries, racers, floor) {
  const base = racers[entries.findIndex(({ name }) => name === floor)];
  return entries.map(({ name, label }, index) => {
    const { figures, failed } = racers[index];
    if (failed !== undefined) return { name, label, failed };
    const hasRatios = base !== undefined && base.failed === undefined;
    return {
      name,
      label,
      figures,
      ratios: hasRatios ? figures.map((figure, n) => figure / base.figures[n]) : undefined,
    };
  });
}
