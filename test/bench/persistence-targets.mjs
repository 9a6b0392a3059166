import { most as entries } from './persistence/cases.mjs';

const mostBytes = 200;

/** What the project set out to reach with persistence. @param results of `benchPersistence` */
export function judgePersistence({ tables }) {
  return tables
    .filter(({ isPeer }) => !isPeer)
    .map(({ label, cells }) => {
      const { failed, bytes } = cells.find((cell) => cell.entries === entries);
      return {
        what: `memory of a table of ${entries.toLocaleString('en')} entries: ${label}`,
        target: `at most ${mostBytes} bytes an entry`,
        measured: failed ?? `${Math.round(bytes)} bytes`,
        isMet: failed === undefined && Math.round(bytes) <= mostBytes,
      };
    });
}
