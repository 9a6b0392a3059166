/** Those of the contestants that were asked for and are installed, with their versions, and the labels of those that are not. */
export function takingPart(contestants, options) {
  const entries = [];
  const missing = [];
  for (const contestant of contestants) {
    if (options.only?.includes(contestant.name) === false) continue;
    const version = contestant.version(options);
    if (version === undefined) missing.push(contestant.label);
    else entries.push({ ...contestant, version });
  }
  return { entries, missing };
}
