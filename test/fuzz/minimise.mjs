/**
 * The shortest case that one finds by leaving parts out (Zeller's ddmin), of those with the same finding but for numbers and quotes.
 *
 * @param {import('./judge.mjs').Judge} judge
 * @param {import('./judge.mjs').Case} found
 * @param {string} finding
 */
export async function minimised(judge, found, finding) {
  const same = gist(finding);
  const isSame = async (each) => {
    const [verdict] = await judge.judge([each]);
    return verdict?.finding !== undefined && gist(verdict.finding) === same;
  };
  let best = found;
  for (const simpler of [
    { ...found, cuts: [], ahead: [] },
    { ...found, ahead: [] },
  ]) {
    if (await isSame(simpler)) {
      best = simpler;
      break;
    }
  }
  // Large parts first, then small ones wherever they begin, such as a line.
  for (let size = Math.ceil(best.text.length / 2); size >= 1; size = size > 16 ? Math.ceil(size / 2) : size - 1) {
    for (let at = 0; at < best.text.length; ) {
      const text = best.text.slice(0, at) + best.text.slice(at + size);
      const cuts = best.cuts.map((cut) => (cut <= at ? cut : Math.max(at, cut - size)));
      const shorter = { ...best, text, cuts };
      if (await isSame(shorter)) best = shorter;
      else at += size > 16 ? size : 1;
    }
  }
  return best;
}

function gist(finding) {
  return finding
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\d+/g, '0')
    .slice(0, 60);
}
