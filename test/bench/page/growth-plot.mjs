import { families, sizes } from '../picks/cases/picks.mjs';
import { count } from './pick-tables.mjs';

/**
 * How the cost of a pick grows with the number of members, as SVG: a panel for each family of strategies, both axes logarithmic. Of a
 * strategy that was measured in several ways, the dearest. Colours are such that they can be told on white and on black.
 */
export function growthPlot(rows) {
  const panels = families.map((family) => seriesOf(rows.filter((row) => row.family === family)));
  const lines = Math.ceil(panels.length / 2);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * panel.width} ${lines * panel.height}" width="${2 * panel.width}">
<title>What acquire and release cost, by strategy and number of members</title>
<style>
  text { font: 11px system-ui, sans-serif; fill: #57606a }
  .title { font-weight: 600 }
  .grid { stroke: #8b949e; stroke-opacity: .3 }
  .target { stroke: #8b949e; stroke-dasharray: 4 3 }
  polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) { text { fill: #a3adb8 } }
</style>
<clipPath id="frame"><rect x="${plot.left}" y="${plot.top}" width="${plot.width}" height="${plot.height}"/></clipPath>
${panels.map((series, n) => panelText(series, n)).join('\n')}
</svg>
`;
}

const panel = { width: 440, height: 252 };
const plot = { left: 48, top: 28, width: 222, height: 184 };
const colours = ['#3b82c4', '#d9730d', '#2f9e6e', '#c2507a', '#8a63d2', '#9a7b1f', '#5f7f8c'];

const least = 10;
const most = 3000;
const target = 1000;
const ticks = [10, 30, 100, 300, target, 3000];
const lineHeight = 13;

const across = (value, from, to) => Math.log(value / from) / Math.log(to / from);
const xOf = (members) => plot.left + plot.width * across(members, sizes[0], sizes.at(-1));
const yOf = (nanoseconds) => plot.top + plot.height * (1 - across(nanoseconds, least, most));

function seriesOf(rows) {
  return [...new Set(rows.map(({ series }) => series))].map((name) => ({
    name,
    points: sizes.flatMap((members) => {
      const cells = rows.filter((row) => row.series === name).flatMap((row) => row.cells);
      const figures = cells.filter((cell) => cell.members === members && cell.failed === undefined);
      return figures.length === 0 ? [] : [{ members, value: Math.max(...figures.map(({ pick }) => pick.median)) }];
    }),
  }));
}

function panelText(series, n) {
  const [x, y] = [(n % 2) * panel.width, Math.floor(n / 2) * panel.height];
  const drawn = series
    .filter(({ points }) => points.length > 0)
    .map(({ name, points }, index) => ({ name, points, colour: colours[index % colours.length] }));
  return `<g transform="translate(${x} ${y})">
<text class="title" x="${plot.left}" y="16">${families[n]}</text>
${ticks.map(rule).join('\n')}
${sizes.map((members) => label(xOf(members), plot.top + plot.height + 16, count(members), 'middle')).join('\n')}
${label(plot.left + plot.width / 2, plot.top + plot.height + 30, 'members', 'middle')}
${drawn.map(line).join('\n')}
${withRoom(drawn.map(nameOf)).map(nameText).join('\n')}
</g>`;
}

function rule(nanoseconds) {
  const y = round(yOf(nanoseconds));
  const text = nanoseconds < 1000 ? `${nanoseconds} ns` : `${nanoseconds / 1000} µs`;
  return `<line class="${nanoseconds === target ? 'target' : 'grid'}" x1="${plot.left}" x2="${plot.left + plot.width}" y1="${y}" y2="${y}"/>${label(plot.left - 5, y + 4, text, 'end')}`;
}

function line({ points, colour }) {
  const path = points.map(({ members, value }) => `${round(xOf(members))},${round(yOf(value))}`).join(' ');
  return `<polyline clip-path="url(#frame)" stroke="${colour}" points="${path}"/>`;
}

function nameOf({ name, points, colour }) {
  const { value } = points.at(-1);
  return { name: value > most ? `${name} ↑` : name, colour, y: yOf(value) };
}

/** Names beside the ends of their lines, moved apart where they would cover each other. */
function withRoom(names) {
  const sorted = names.toSorted((a, b) => a.y - b.y).map((each) => ({ ...each, y: Math.max(plot.top, each.y) }));
  const bottom = plot.top + plot.height;
  for (let n = 1; n < sorted.length; n++) sorted[n].y = Math.max(sorted[n].y, sorted[n - 1].y + lineHeight);
  for (let n = sorted.length - 1; n >= 0; n--) {
    const below = n + 1 < sorted.length ? sorted[n + 1].y - lineHeight : bottom;
    sorted[n].y = Math.min(sorted[n].y, below);
  }
  return sorted;
}

function nameText({ name, colour, y }) {
  return `<text x="${plot.left + plot.width + 6}" y="${round(y + 4)}" style="fill:${colour}">${name}</text>`;
}

function label(x, y, text, anchor) {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${text}</text>`;
}

const round = (value) => Number(value.toFixed(1));
