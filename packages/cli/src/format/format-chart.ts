import { halfwayPerplexity, type LayersResult, type MapResult, type PlaneResult } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import { type CurvatureResult, type LandscapeResult, planeOf } from "@isthmus/curvature";
import { formatBarrier, formatNumber } from "@isthmus/findings";
import {
  type DrawableResult,
  renderChart,
  renderLayersChart,
  renderMapChart,
  renderPlaneChart,
} from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatBar } from "./format-bar.ts";
import { formatTable } from "./format-table.ts";

/** The width of a terminal, and the characters and colours that it can show. */
export type Screen = Pick<Terminal, "columns" | "unicode" | "color">;

/** Draws the chart of a result; an empty text if there is nothing to draw. */
type DrawResult<R> = (result: R, screen: Screen) => string;

/** Functions that draw the charts of results, for kinds whose chart is not the first figure of their page. */
const CHARTS: { readonly [K in DrawableResult["kind"]]?: DrawResult<Extract<DrawableResult, { kind: K }>> } =
  {
    curvature: formatLayerBars,
    plane: formatPlane,
    map: formatMap,
    landscape: formatLandscapeChart,
    layers: formatLayersChart,
  };

/** Draws the chart of a result; undefined if it is the first figure of its page. */
export function drawResult(result: DrawableResult, screen: Screen): string | undefined {
  // The function of a kind takes the results of that kind.
  const draw = CHARTS[result.kind] as DrawResult<DrawableResult> | undefined;
  return draw?.(result, screen);
}

/** Number of cells of the longest bar. */
const BAR_WIDTH = 16;
/** Number of columns beyond which a plane, a map of networks, or a chart only takes more room. */
const MOST_COLUMNS = { plane: 72, map: 100, chart: 90 } as const;

const charsetOf = ({ unicode }: Screen): "braille" | "ascii" => (unicode ? "braille" : "ascii");

/** Draws the traces of layers as bars, or their largest eigenvalues if there are no traces. */
function formatLayerBars({ layers = [] }: CurvatureResult, { unicode }: Screen): string {
  if (layers.length === 0) return "";
  const measure = layers.some(({ trace }) => trace !== undefined) ? "trace" : "largest eigenvalue";
  const bars = layers.map(({ name, trace, largest }) => ({
    name,
    value: trace?.trace ?? largest?.value ?? 0,
  }));
  const full = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ name, value }) => [name, formatBar(value, { full, width: BAR_WIDTH, unicode })]);
  return formatTable([{ title: "layer" }, { title: measure }], rows);
}

/** Draws a plane as a map. */
function formatPlane(plane: PlaneResult, screen: Screen): string {
  const width = Math.min(screen.columns, MOST_COLUMNS.plane);
  return renderPlaneChart(plane, { width, charset: charsetOf(screen) });
}

/** Draws a map of networks as shades of barriers and as points of a plane. */
function formatMap(map: MapResult, screen: Screen): string {
  const width = Math.min(screen.columns, MOST_COLUMNS.map);
  return renderMapChart(map, { width, charset: charsetOf(screen) });
}

/** Draws a plane as a map and a line as a chart; a grid of more directions has no picture. */
function formatLandscapeChart(result: LandscapeResult, screen: Screen): string {
  const { axes, loss, basis } = result;
  const { columns, color } = screen;
  const plane = planeOf(result);
  if (plane !== undefined) {
    return formatPlane(plane, screen);
  }
  if (axes.length !== 1) return "";
  const points = at(axes, 0, "axis").flatMap((x, i): [number, number][] => {
    const y = at(loss, i, "loss");
    return Number.isFinite(y) ? [[x, y]] : [];
  });
  if (points.length === 0) return "";
  const xLabel = at(basis, 0, "direction").label;
  const width = Math.min(columns, MOST_COLUMNS.chart);
  return renderChart([{ label: "loss", points }], {
    width,
    charset: charsetOf(screen),
    color,
    yLabel: "loss",
    xLabel,
  });
}

/** Number of rows of a chart of several lines, without axis and legend. */
const CHART_HEIGHT = 9;

/** Draws the barriers of layers as bars, and the ones of growing sets of layers as lines. */
function formatLayersChart(result: LayersResult, screen: Screen): string {
  const { layers, whole } = result;
  const all = whole.wholeEndpoints.loss;
  const full = Math.max(...[...layers.map(({ barrier }) => barrier.loss), all].filter(Number.isFinite));
  const bar = (value: number) => formatBar(value, { full, width: BAR_WIDTH, unicode: screen.unicode });
  const rows = layers.map(({ group, a, b, barrier }) => {
    const halfway = [a, b].map(({ wholeEndpoints }) => formatBarrier(wholeEndpoints.loss, "loss"));
    return [group, ...halfway, bar(barrier.loss)];
  });
  const bars = formatTable(
    [
      { title: "layer" },
      { title: "in A", align: "right" },
      { title: "in B", align: "right" },
      { title: "barrier" },
    ],
    [...rows, ["all at once", "", "", bar(all)]],
  );
  const lines = renderLayersChart(result, {
    width: Math.min(screen.columns, MOST_COLUMNS.chart),
    height: CHART_HEIGHT,
    charset: charsetOf(screen),
    color: screen.color,
  });
  return [bars, lines, ...perplexityWords(result), ...rankWords(result)]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Formats the perplexities of language models at both ends and half-way; empty for other networks. */
function perplexityWords({ layers, whole }: LayersResult): string[] {
  const halfway = halfwayPerplexity(whole);
  const [a, b] = [whole.points[0]?.perplexity, whole.points.at(-1)?.perplexity];
  if (halfway === null || a === undefined || b === undefined) return [];
  const highest = layers
    .map((layer) => ({ group: layer.group, perplexity: halfwayPerplexity(layer.a) ?? Number.NaN }))
    .reduce((one, other) => (other.perplexity > one.perplexity ? other : one));
  return [
    `Perplexity: ${formatNumber(a)} in A, ${formatNumber(b)} in B, ${formatNumber(halfway)} with all layers half-way; of single layers half-way in A, highest with ${highest.group}: ${formatNumber(highest.perplexity)}`,
  ];
}

/** Describes how well predicted barriers rank the measured ones; empty if none were predicted. */
function rankWords({ predictions }: LayersResult): string[] {
  if (predictions === undefined) return [];
  const { rankCorrelation: rank } = predictions;
  return [
    `Rank correlation of predicted and measured barriers of layers: ${Number.isNaN(rank) ? "not defined" : rank.toFixed(2)}`,
  ];
}
