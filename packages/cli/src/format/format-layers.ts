import type { BarrierPrediction, DirectionRobustness, LayersResult } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import { formatBarrier, formatCount, formatNumber } from "@isthmus/findings";
import { type ChartSeries, halfwayPerplexity, renderChart } from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatBar } from "./format-bar.ts";
import { type Column, formatTable } from "./format-table.ts";

/** Cells of the longest bar. */
const BAR_WIDTH = 16;
/** Rows of the chart, axis and legend aside. */
const CHART_HEIGHT = 9;
/** Columns beyond which a chart only gets coarser to read. */
const MAX_CHART_WIDTH = 90;

/**
 * Shows barriers by layer as a table with bars, barriers of growing sets of layers as a chart, and, if they
 * were asked for, the predicted barriers and the random directions as tables.
 */
export function formatLayers(result: LayersResult, terminal: Terminal): string {
  const { predictions, robustness, statistics } = result;
  const about = `Loss half-way above the mean of both networks, in nats, on ${formatCount(result.examples)} examples; statistics: ${statistics}`;
  const parts = [
    `${about}\n${formatGroups(result, terminal)}`,
    formatPerplexities(result),
    formatCumulative(result, terminal),
  ];
  if (predictions !== undefined) parts.push(formatPredictions(predictions));
  if (robustness !== undefined) parts.push(formatRobustness(robustness));
  return parts.filter((part) => part !== "").join("\n\n");
}

const alignedRight = (title: string): Column => ({ title, align: "right" });
const nats = (value: number) => formatBarrier(value, "loss");

function formatGroups({ groups, layers, whole }: LayersResult, { unicode }: Terminal): string {
  const values = [...layers.map(({ barrier }) => barrier.loss), whole.wholeEndpoints.loss];
  const full = Math.max(...values.filter(Number.isFinite));
  const bar = (value: number) => formatBar(value, { full, width: BAR_WIDTH, unicode });
  const rows = layers.map(({ group, a, b, barrier }, index) => {
    const { elements, euclideanDistance, cosineSimilarity } = at(groups, index, "group of layers");
    return [
      group,
      formatCount(elements),
      formatNumber(euclideanDistance),
      cosineSimilarity.toFixed(2),
      nats(a.wholeEndpoints.loss),
      nats(b.wholeEndpoints.loss),
      nats(barrier.loss),
      bar(barrier.loss),
    ];
  });
  const all = whole.wholeEndpoints.loss;
  const total = groups.reduce((sum, { elements }) => sum + elements, 0);
  rows.push(["all at once", formatCount(total), "", "", "", "", nats(all), bar(all)]);
  const columns = ["numbers", "distance", "cosine", "in A", "in B", "barrier"].map(alignedRight);
  return formatTable([{ title: "layer" }, ...columns, { title: "" }], rows);
}

/** Says the perplexities of language models at both ends, and with all groups or one half-way. */
function formatPerplexities({ layers, whole }: LayersResult): string {
  const halfway = halfwayPerplexity(whole);
  const [a, b] = [whole.points[0]?.perplexity, whole.points.at(-1)?.perplexity];
  if (halfway === null || a === undefined || b === undefined) return "";
  const highest = layers
    .map((layer) => ({ group: layer.group, perplexity: halfwayPerplexity(layer.a) ?? Number.NaN }))
    .reduce((one, other) => (other.perplexity > one.perplexity ? other : one));
  return `Perplexity: ${formatNumber(a)} in A, ${formatNumber(b)} in B, ${formatNumber(halfway)} with all layers half-way; of single layers half-way in A, highest with ${highest.group}: ${formatNumber(highest.perplexity)}`;
}

function formatCumulative({ cumulative, groups }: LayersResult, terminal: Terminal): string {
  const series = cumulative.map(({ order, steps }): ChartSeries => {
    const points = steps.map(({ cut }, step): [number, number] => [step + 1, cut.wholeEndpoints.loss]);
    return { label: order, points: [[0, endLoss(steps[0]?.cut)], ...points] };
  });
  if (series.length === 0 || !series.every(({ points }) => points.every(([, y]) => Number.isFinite(y))))
    return "";
  return renderChart(series, {
    width: Math.min(terminal.columns, MAX_CHART_WIDTH),
    height: CHART_HEIGHT,
    charset: terminal.unicode ? "braille" : "ascii",
    color: terminal.color,
    yLabel: "barrier (nats)",
    xLabel: `layers added up, 0 to ${groups.length}`,
    formatY: formatNumber,
  });
}

/** Returns the loss of A, where no layer is averaged yet, above the mean of both networks. */
function endLoss(cut: LayersResult["whole"] | undefined): number {
  const middle = cut?.points[(cut.points.length - 1) / 2]?.loss ?? Number.NaN;
  return (cut?.points[0]?.loss ?? Number.NaN) - middle + (cut?.wholeEndpoints.loss ?? Number.NaN);
}

function formatPredictions({
  barriers,
  rankCorrelation,
  examples,
}: NonNullable<LayersResult["predictions"]>): string {
  const end = ({ ends }: BarrierPrediction, index: number) =>
    ends[index] ?? { slope: Number.NaN, curvature: Number.NaN };
  const middle = ({ points }: BarrierPrediction) => points[(points.length - 1) / 2];
  const rows = barriers.map((barrier) => [
    barrier.group === "all" ? "all at once" : barrier.group,
    ...[0, 1].flatMap((index) =>
      [end(barrier, index).slope, end(barrier, index).curvature].map(formatNumber),
    ),
    nats(middle(barrier)?.predicted ?? Number.NaN),
    nats(middle(barrier)?.measured ?? Number.NaN),
  ]);
  const columns = ["slope at A", "curvature", "slope at B", "curvature", "predicted", "measured"].map(
    alignedRight,
  );
  const rank = Number.isNaN(rankCorrelation) ? "not defined" : rankCorrelation.toFixed(2);
  return `Predicted to second order, half-way, on ${formatCount(examples)} examples; rank correlation of layers: ${rank}\n${formatTable([{ title: "layer" }, ...columns], rows)}`;
}

function formatRobustness(robustness: readonly DirectionRobustness[]): string {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = robustness.map(({ group, random, randomHalfway, toOther }) => [
    group,
    ...[mean(randomHalfway), mean(random), toOther.halfway, toOther.end].map(nats),
  ]);
  const columns = ["random, half-way", "random", "to B, half-way", "to B"].map(alignedRight);
  const draws = robustness[0]?.random.length ?? 0;
  return `Rise of A's loss in ${draws} random directions as long as the way to B, and on that way\n${formatTable([{ title: "layer" }, ...columns], rows)}`;
}
