import { at } from "@isthmus/core";
import { formatCounted, formatMeasure, formatNumber } from "@isthmus/findings";
import { type LandscapeResult, minimaWords, planeOf, topologyOf } from "@isthmus/landscape";
import { renderChart, renderPlaneChart } from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatTable } from "./format-table.ts";

/** Columns beyond which a map, or a chart, only takes more room. */
const MOST_COLUMNS = { map: 72, chart: 90 } as const;

/** Shows a landscape: a line as a chart, a plane as a map; then its directions and networks as tables. */
export function formatLandscape(result: LandscapeResult, terminal: Terminal): string {
  return [
    ...pictureOf(result, terminal),
    directionsTable(result),
    networksTable(result),
    [...interpolationLines(result), ...topologyLines(result), ...reasonLines(result)].join("\n"),
  ].join("\n\n");
}

function pictureOf(result: LandscapeResult, { columns, unicode, color }: Terminal): string[] {
  const charset = unicode ? "braille" : "ascii";
  const plane = planeOf(result);
  if (plane !== undefined) {
    return [renderPlaneChart(plane, { width: Math.min(columns, MOST_COLUMNS.map), charset })];
  }
  if (result.axes.length !== 1) return [];
  const points = at(result.axes, 0, "axis").flatMap((x, i): [number, number][] => {
    const y = at(result.loss, i, "loss");
    return Number.isFinite(y) ? [[x, y]] : [];
  });
  if (points.length === 0) return [];
  const xLabel = at(result.basis, 0, "direction").label;
  const series = [{ label: "loss", points }];
  return [
    renderChart(series, {
      width: Math.min(columns, MOST_COLUMNS.chart),
      charset,
      color,
      yLabel: "loss",
      xLabel,
    }),
  ];
}

const right = (title: string) => ({ title, align: "right" as const });
const optional = (value: number | undefined): string => (value === undefined ? "" : formatNumber(value));

function directionsTable({ basis }: LandscapeResult): string {
  const facts = (["eigenvalue", "explained", "slope", "curvature"] as const).filter((fact) =>
    basis.some((direction) => direction[fact] !== undefined),
  );
  return formatTable(
    [{ title: "direction" }, right("length"), ...facts.map(right)],
    basis.map((direction) => [
      direction.label,
      formatNumber(direction.length),
      ...facts.map((fact) => optional(direction[fact])),
    ]),
  );
}

function networksTable({ basis, networks }: LandscapeResult): string {
  return formatTable(
    [
      ...[{ title: "network" }, ...basis.map(({ label }) => right(label))],
      ...[right("distance"), right("loss"), right("error")],
    ],
    networks.map(({ label, place, distance, loss, error }) => [
      ...[label, ...place.map(formatNumber), formatNumber(distance)],
      ...[formatMeasure(loss, "loss"), formatMeasure(error, "error")],
    ]),
  );
}

function interpolationLines({ interpolation }: LandscapeResult): string[] {
  if (interpolation === undefined) return [];
  const { monotone, largestRise, from, to, barrier } = interpolation;
  const rise = monotone
    ? "the loss falls all the way from the initialization, up to rounding"
    : `the loss rises on the way from the initialization: by ${formatNumber(largestRise)} from ${formatNumber(from)} to ${formatNumber(to)}`;
  return [`${rise}; barrier above the chord ${formatNumber(barrier.loss.chord)}`];
}

function topologyLines(result: LandscapeResult): string[] {
  const topology = topologyOf(result);
  const { saddles, saddleMinimumDistance } = topology;
  const { mean, normalized } = saddleMinimumDistance;
  const distance =
    saddles.length === 0
      ? ""
      : `: from a minimum the loss rises by ${formatNumber(mean)} on average to where it meets another, which is ${formatMeasure(normalized, "error")} of the range of losses`;
  return [`${minimaWords(topology)}; ${formatCounted(saddles.length, "saddle")} on the grid${distance}`];
}

function reasonLines({ derivatives, reason, converged }: LandscapeResult): string[] {
  const how = derivatives === "finite-differences" ? "by differences of gradients" : "no slope and curvature";
  return [
    ...(reason === undefined ? [] : [`${how}: ${reason}`]),
    ...(converged === false ? ["Eigenvectors have not all converged."] : []),
  ];
}
