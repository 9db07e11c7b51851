import { assertMap, MAP_STAGES, type MapResult, mapNames, orderOf, squareInOrder } from "@isthmus/barrier";
import { at, groupBy, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { factorScale, formatShort, lossWords } from "@isthmus/findings";
import type { Charset } from "./canvas.ts";

/** Options of {@link renderMapChart}. */
export interface MapChartOptions {
  /** Width of the whole chart in columns, at least 30. @defaultValue 80 */
  readonly width?: number;
  /** Height of the picture of the plane in rows, at least 4. @defaultValue 14 */
  readonly height?: number;
  /**
   * Character set; `braille` needs a Unicode terminal, and shades barriers by blocks. @defaultValue "braille"
   */
  readonly charset?: Charset;
}

type ResolvedOptions = Required<MapChartOptions>;

/** Defaults of {@link renderMapChart}. */
const MAP_CHART_DEFAULTS: ResolvedOptions = { width: 80, height: 14, charset: "braille" };

/** Characters for bands of barriers, from the lowest, and for a network paired with itself. */
const SHADES = {
  braille: { bands: ["·", "░", "▒", "▓", "█"], self: " " },
  ascii: { bands: [".", ":", "+", "%", "#"], self: " " },
} as const satisfies Record<Charset, { readonly bands: readonly string[]; readonly self: string }>;

/** Maximum number of characters of a network's name beside its row. */
const NAME_WIDTH = 18;
const GAP = 3;
/** Approximate ratio of the height of a character to its width. */
const ASPECT = 2;

/**
 * Draws a map as text for a terminal: the barriers of all pairs by shades, before and after alignment, both
 * in the order of the tree of the aligned networks, and the aligned networks as numbers in the plane.
 *
 * Lines have no trailing spaces and are at most `width` wide.
 * @throws OutOfRangeError if the chart is smaller than 30 columns or 4 rows
 * @throws UsageError if the parts of the result contradict each other
 */
export function renderMapChart(result: MapResult, options: MapChartOptions = {}): string {
  const resolved = resolveOptions("draw a map", MAP_CHART_DEFAULTS, options);
  const { width, height } = resolved;
  if (!(width >= 30 && height >= 4)) {
    throw new OutOfRangeError(
      `Cannot draw a map as it needs at least 30 columns and 4 rows: got ${width} and ${height}`,
    );
  }
  assertMap(result);
  return [...shadedMaps(result, resolved), "", ...planeRows(result, resolved)]
    .map((line) => line.slice(0, width).trimEnd())
    .join("\n");
}

/** Draws the barriers before and after alignment, side by side if both fit, with a key of the shades. */
function shadedMaps(result: MapResult, { width, charset }: ResolvedOptions): string[] {
  const unit = lossWords(result).unit;
  const losses = MAP_STAGES.flatMap(({ key }) => result[key].pairs.map(({ loss }) => loss));
  const { bands, self } = SHADES[charset];
  const { levels } = factorScale(losses, bands.length - 1);
  const shade = (value: number | null) =>
    value === null ? self : at(bands, levels.filter((level) => level <= value).length, "band");
  const order = orderOf(result);
  const [before = [], after = []] = MAP_STAGES.map(({ key, name }) => {
    const names = mapNames(result).map((text, network) => `${network + 1} ${text}`.slice(0, NAME_WIDTH));
    const longest = Math.max(...names.map((text) => text.length));
    const rows = squareInOrder(result[key], order, ({ loss }) => loss).map((row, i) => {
      const cells = row.map((value) => shade(value).repeat(ASPECT)).join("");
      return `${at(names, at(order, i, "network"), "name").padEnd(longest)} ${cells}`;
    });
    return [name, ...rows];
  });
  const left = Math.max(...before.map((row) => row.length));
  const isWide = left + GAP + Math.max(...after.map((row) => row.length)) <= width;
  const edges = [Math.min(...losses), ...levels, Math.max(...losses)];
  const legend = levels.map((_, band) => band).concat(levels.length);
  return [
    ...(isWide
      ? before.map((row, i) => row.padEnd(left + GAP) + at(after, i, "row"))
      : [...before, "", ...after]),
    "",
    `loss barrier${unit === "" ? "" : ` in ${unit}`}:`,
    ...legend.map(
      (band) =>
        `  ${at(bands, band, "band").repeat(ASPECT)} ${formatShort(at(edges, band))} to ${formatShort(at(edges, band + 1))}`,
    ),
  ];
}

/** Draws the aligned networks in the plane: numbers, `M` for their mean, `*` after the number of a star. */
function planeRows(result: MapResult, { width, height }: ResolvedOptions): string[] {
  const { networks, mean, stress } = result.after.places;
  const radius = Math.max(...[...networks, mean].map(([, y]) => Math.abs(y))) || 1;
  const across = Math.max(...[...networks, mean].map(([x]) => Math.abs(x))) || 1;
  const perRow = Math.max((2 * radius) / (height - 1), (ASPECT * 2 * across) / (width - NAME_WIDTH));
  const rows = Array.from({ length: Math.round((2 * radius) / perRow) + 1 }, () => [] as string[]);
  const columns = Math.round((ASPECT * 2 * across) / perRow) + 1;
  const points = [...networks.map((place, i) => [labelOf(result, i), place] as const), ["M", mean] as const];
  const placed = points.map(([label, [x, y]]) => ({
    label,
    row: Math.round((radius - y) / perRow),
    column: Math.round((ASPECT * (x + across)) / perRow),
  }));
  for (const group of groupBy(placed, ({ row, column }) => `${row} ${column}`).values()) {
    const { row, column } = at(group, 0, "mark");
    const text = group.map(({ label }) => label).join(",");
    // A label that would extend beyond the picture begins further left.
    let begin = Math.max(0, Math.min(column, Math.max(columns, width - GAP) - text.length));
    while ([...text].some((_, i) => at(rows, row, "row")[begin + i] !== undefined)) begin += 1;
    [...text].forEach((character, i) => {
      at(rows, row, "row")[begin + i] = character;
    });
  }
  return [
    "aligned, in the plane by distances between weights,",
    `M is their mean; stress ${formatShort(stress, 2)}:`,
    ...rows.map((row) => `  ${Array.from(row, (character) => character ?? " ").join("")}`),
  ];
}

function labelOf({ networks }: MapResult, index: number): string {
  return `${index + 1}${networks[index]?.role === "star" ? "*" : ""}`;
}
