import type { LayerCut, LayersResult } from "@isthmus/barrier";
import { drawBars } from "../figure/bar-figure.ts";
import type { Figure } from "../figure/figure.ts";
import { drawHeat } from "../figure/heat-figure.ts";
import { drawLines } from "../figure/line-figure.ts";
import { formatNumber, formatPlace, formatShort } from "../format-value.ts";

/** Name of the row of all groups, as the tables and figures have it. */
export const ALL_GROUPS = "all groups";

/** The networks whose other groups stay, in the order of figures. */
const FIXED = [
  { network: "a", label: "others as in A" },
  { network: "b", label: "others as in B" },
] as const;

/** Figures of barriers by layer, by the section they belong to. */
export function layersFigures(result: LayersResult): {
  readonly single: readonly Figure[];
  readonly cumulative: readonly Figure[];
  readonly along: readonly Figure[];
} {
  return {
    single: [barsFigure(result)],
    cumulative: result.cumulative.length === 0 ? [] : [cumulativeFigure(result)],
    along: FIXED.map((fixed) => heatFigure(result, fixed)),
  };
}

function barsFigure({ layers, whole }: LayersResult): Figure {
  const bars = layers.map(({ group, a, b, barrier }) => {
    const ends = [a.wholeEndpoints.loss, b.wholeEndpoints.loss];
    return { row: group, series: 0, value: barrier.loss, low: Math.min(...ends), high: Math.max(...ends) };
  });
  const words = bars.map(({ row, value }) => `${row} ${formatNumber(value)}`);
  return {
    name: "layers",
    title: "What averaging one group costs:",
    caption:
      "the loss with this group half-way and the others as in A or as in B (the ends of the thin line; the bar is their mean), less the mean loss of A and B. The last bar averages all groups.",
    words: `Bars of loss barriers, in nats. ${words.join("; ")}; ${ALL_GROUPS} ${formatNumber(whole.wholeEndpoints.loss)}.`,
    table: "layers",
    size: "hero",
    draw: drawBars({
      rows: [...layers.map(({ group }) => group), ALL_GROUPS],
      series: ["one group", ALL_GROUPS],
      bars: [...bars, { row: ALL_GROUPS, series: 1, value: whole.wholeEndpoints.loss }],
      axis: { label: "Loss barrier half-way (nats)" },
      single: true,
    }),
  };
}

function cumulativeFigure({ cumulative }: LayersResult): Figure {
  const ends = cumulative.map(
    ({ order, steps }) =>
      `${order}: ${steps.map(({ cut }) => formatNumber(cut.wholeEndpoints.loss)).join(", ")}`,
  );
  return {
    name: "cumulative",
    title: "What averaging growing sets of groups costs,",
    caption:
      "in different orders: the loss with these groups half-way and the others as in one network, less the mean loss of A and B. The last step of each averages all groups, and so all lines end alike.",
    words: `Lines of the loss barrier, in nats, over the number of groups that are averaged. ${ends.join("; ")}.`,
    table: "cumulative",
    size: "hero",
    draw: drawLines({
      series: cumulative.map(({ order, steps }) => ({
        label: order.replaceAll("-", " "),
        points: steps.map(({ cut }, index) => ({ x: index + 1, y: cut.wholeEndpoints.loss })),
      })),
      x: {
        label: "Groups that are averaged",
        ticks: groupTicks(Math.max(...cumulative.map(({ steps }) => steps.length))),
      },
      y: { label: "Loss barrier half-way (nats)", fromZero: true },
    }),
  };
}

/** Whole numbers of groups, not more than fit. */
function groupTicks(groups: number): number[] {
  const stride = Math.ceil(groups / 12);
  return Array.from({ length: groups }, (_, index) => index + 1).filter(
    (count) => count === 1 || count % stride === 0,
  );
}

/** Rise above the chord along the way of each group. */
function heatFigure({ layers }: LayersResult, { network, label }: (typeof FIXED)[number]): Figure {
  const cuts = layers.map(({ group, [network]: cut }) => ({ group, cut }));
  const places = [...new Set(cuts.flatMap(({ cut }) => cut.points.map(({ t }) => t)))].sort((x, y) => x - y);
  const lossAt = (cut: LayerCut, t: number): number | null =>
    cut.points.find((point) => point.t === t)?.loss ?? null;
  return {
    name: `along-${network}`,
    title: `Loss along the way of each group, ${label}.`,
    caption: "One row a group, one column a place t between the networks; darker is lower.",
    words: `Heat map of the loss, in nats, by group and place, ${label}. ${cuts.map(({ group, cut }) => `${group} at most ${formatNumber(Math.max(...cut.points.map(({ loss }) => loss)))}`).join("; ")}.`,
    table: "layer-points",
    size: "half",
    draw: drawHeat({
      rows: cuts.map(({ group }) => group),
      columns: places.map(formatPlace),
      values: cuts.map(({ cut }) => places.map((t) => lossAt(cut, t))),
      label: "Loss (nats)",
      columnLabel: `Place t from ${network === "a" ? "A to B" : "B to A"}`,
      format: (value) => formatShort(value, 2),
    }),
  };
}
