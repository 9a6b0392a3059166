import { readFileSync, writeFileSync } from 'node:fs';

const docs = new URL('../../../docs/', import.meta.url);

/**
 * Puts what a command has measured on a page, in place of what it had put there before.
 *
 * @param command as a user types it
 * @param name of the page; by default that which the commands share
 */
export function writePart(command, text, name = 'benchmarks.md') {
  const page = new URL(name, docs);
  const begin = `<!-- Written by \`${command}\`, down to its end. Do not edit: the next run replaces it. -->`;
  const end = `<!-- The end of what \`${command}\` writes. -->`;
  const part = `${begin}\n\n${text.trim()}\n\n${end}`;
  const old = readFileSync(page, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0) writeFileSync(page, `${old.trimEnd()}\n\n${part}\n`);
  else if (to < from) throw new Error(`docs/${name} has no end to the part of ${command}`);
  else writeFileSync(page, old.slice(0, from) + part + old.slice(to + end.length));
  console.log(`written to docs/${name}`);
}

/** A file that pages show. */
export function writePicture(name, text) {
  writeFileSync(new URL(name, docs), text);
}
