import {
  alikeFormat,
  type ColorScale,
  dataWords,
  type Figure,
  formatCounted,
  formatNumber,
  formatPlace,
  lossWords,
  type NumberFormat,
  sequentialScale,
} from "@isthmus/findings";
import type { LayerCut, LayersResult } from "../layers-result.ts";

/** Name of the row of all groups in tables and figures. */
export const ALL_GROUPS = "all groups";

/** Networks whose other groups stay, in the order of figures. */
const FIXED = [
  { network: "a", label: "others as in A" },
  { network: "b", label: "others as in B" },
] as const;

/** Makes the figures of barriers by layer; the result has a field for each section of the page. */
export function layersFigures(result: LayersResult): {
  readonly single: readonly Figure[];
  readonly cumulative: readonly Figure[];
  readonly along: readonly Figure[];
} {
  const losses = result.layers.flatMap(({ a, b }) => [a, b].flatMap(({ points }) => points.map(lossOf)));
  const shown = { scale: sequentialScale(losses), format: alikeFormat(losses) };
  return {
    single: [barsFigure(result)],
    cumulative: result.cumulative.length === 0 ? [] : [cumulativeFigure(result)],
    along: FIXED.map((fixed) => heatFigure(result, fixed, shown)),
  };
}

const lossOf = ({ loss }: LayerCut["points"][number]): number => loss;

function barsFigure(result: LayersResult): Figure {
  const { layers, whole, data, examples } = result;
  const losses = lossWords(result);
  const bars = layers.map(({ group, barrier }) => ({ row: group, series: 0, value: barrier.loss }));
  const words = bars.map(({ row, value }) => `${row} ${formatNumber(value)}`);
  return {
    name: "layers",
    title: "What averaging one group costs:",
    caption: `the loss with this group half-way and the others as in A (circle) or as in B (diamond), less the mean loss of A and B; the bar is the mean of both marks. The last bar averages all groups. Measured on ${dataWords(data, examples)}.`,
    words: `Bars of loss barriers, ${losses.inUnit}. ${words.join("; ")}; ${ALL_GROUPS} ${formatNumber(whole.wholeEndpoints.loss)}.`,
    table: "layer-definitions",
    size: "hero",
    plot: {
      kind: "bars",
      rows: [...layers.map(({ group }) => group), ALL_GROUPS],
      series: ["one group: mean of marks", ALL_GROUPS],
      bars: [...bars, { row: ALL_GROUPS, series: 1, value: whole.wholeEndpoints.loss }],
      points: FIXED.map(({ network, label }) => ({
        label,
        values: layers.map((layer) => ({ row: layer.group, value: layer[network].wholeEndpoints.loss })),
      })),
      axis: { label: losses.axis("Loss barrier half-way") },
      single: true,
    },
  };
}

function cumulativeFigure(result: LayersResult): Figure {
  const { cumulative, data, examples, seed } = result;
  const losses = lossWords(result);
  const random = cumulative.some(({ order }) => order === "random")
    ? ` The random order is that of seed ${seed}.`
    : "";
  const ends = cumulative.map(
    ({ order, steps }) =>
      `${order}: ${steps.map(({ cut }) => formatNumber(cut.wholeEndpoints.loss)).join(", ")}`,
  );
  return {
    name: "cumulative",
    title: "What averaging growing sets of groups costs,",
    caption: `in different orders: the loss with these groups half-way and the others as in one network, less the mean loss of A and B. The last step of each averages all groups, and so all lines end alike.${random} Measured on ${dataWords(data, examples)}.`,
    words: `Lines of the loss barrier, ${losses.inUnit}, over the number of groups that are averaged. ${ends.join("; ")}.`,
    table: "cumulative",
    size: "hero",
    plot: {
      kind: "lines",
      series: cumulative.map(({ order, steps }) => ({
        label: order.replaceAll("-", " "),
        points: steps.map(({ cut }, index) => ({ x: index + 1, y: cut.wholeEndpoints.loss })),
      })),
      x: {
        label: "Number of groups that are averaged",
        ticks: groupTicks(Math.max(...cumulative.map(({ steps }) => steps.length))),
      },
      y: { label: losses.axis("Loss barrier half-way"), fromZero: true },
    },
  };
}

/** Returns the ticks of an axis of numbers of groups: whole numbers, no more than fit. */
function groupTicks(groups: number): number[] {
  const stride = Math.ceil(groups / 12);
  return Array.from({ length: groups }, (_, index) => index + 1).filter(
    (count) => count === 1 || count % stride === 0,
  );
}

/** Makes the figure of the loss along the path of each group, in the colours of the figure beside it. */
function heatFigure(
  result: LayersResult,
  { network, label }: (typeof FIXED)[number],
  shown: { readonly scale: ColorScale; readonly format: NumberFormat },
): Figure {
  const { layers, data, examples } = result;
  const losses = lossWords(result);
  const cuts = layers.map(({ group, [network]: cut }) => ({ group, cut }));
  const places = [...new Set(cuts.flatMap(({ cut }) => cut.points.map(({ t }) => t)))].sort((x, y) => x - y);
  const lossAt = (cut: LayerCut, t: number): number | null =>
    cut.points.find((point) => point.t === t)?.loss ?? null;
  return {
    name: `along-${network}`,
    title: `Loss along the way of each group, ${label}.`,
    caption: `One row a group, one column a place t between the networks; darker is lower, and both figures have the same colours. Measured at ${formatCounted(places.length, "place")} on ${dataWords(data, examples)}.`,
    words: `Heat map of the loss, ${losses.inUnit}, by group and place, ${label}. ${cuts.map(({ group, cut }) => `${group} at most ${formatNumber(Math.max(...cut.points.map(lossOf)))}`).join("; ")}.`,
    table: "layer-points",
    size: "half",
    plot: {
      kind: "heat",
      rows: cuts.map(({ group }) => group),
      columns: places.map(formatPlace),
      values: cuts.map(({ cut }) => places.map((t) => lossAt(cut, t))),
      label: losses.axis("Mean loss"),
      columnLabel: `Place t from ${network === "a" ? "A to B" : "B to A"}`,
      ...shown,
    },
  };
}
