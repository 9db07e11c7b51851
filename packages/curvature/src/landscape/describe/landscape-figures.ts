import type { PlaneResult } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import {
  type ContourPlot,
  dataWords,
  type Figure,
  formatMeasure,
  formatShort,
  type LineSeries,
  lossWords,
  MEASURES,
  type Measure,
  measureWords,
  type NumberFormat,
} from "@isthmus/findings";
import type { LandscapeResult } from "../landscape-result.ts";
import { isOnEdge } from "../topology/grid-neighbors.ts";
import { scaleWords } from "./describe-plane.ts";
import { coordinatesOf, planeOf, sliceOf } from "./landscape-planes.ts";
import { axisWords, DIRECTION_WORDS, SIZE_WORDS } from "./landscape-words.ts";

/** Largest number of minima, and of saddles, that are marked in a plane. */
const MOST_MARKS = 40;
/** Number of points of a parabola, enough for a line without marks. */
const PARABOLA_POINTS = 201;

/** Draws the losses and errors: as lines, a plane, or slices of a grid. */
export function landscapeFigures(result: LandscapeResult): Figure[] {
  // Some losses have no errors.
  const measures = MEASURES.filter((measure) => result[measure].some(Number.isFinite));
  if (result.axes.length === 1) return measures.map((measure) => lineFigure(result, measure));
  const plane = planeOf(result);
  if (plane !== undefined) return measures.map((measure) => planeFigure(result, plane, measure));
  return measures.map((measure) => slicesFigure(result, measure));
}

const formatOf = (measure: Measure): NumberFormat => (measure === "loss" ? "exact" : "percent");

function captionOf({ directions, normalization, data, examples, axes }: LandscapeResult): string {
  const places = axes.map(({ length }) => length).join(" by ");
  return `along ${DIRECTION_WORDS[directions]}, ${SIZE_WORDS[normalization]}. Measured at ${places} places on ${dataWords(data, examples)}.`;
}

function lineFigure(result: LandscapeResult, measure: Measure): Figure {
  const { axes, networks } = result;
  const axis = at(axes, 0, "axis");
  const { name, axis: words } = measureWords(measure, lossWords(result), result.data);
  const points = axis.map((x, i) => ({ x, y: at(result[measure], i, "value") }));
  const parabola = measure === "loss" ? parabolaSeries(result, points) : [];
  const [network] = networks;
  const curve = parabola.length === 0 ? "" : " The parabola has the slope and the curvature at the network.";
  return {
    name: `line-${measure}`,
    title: `${name} on the line,`,
    caption: `${captionOf(result)}${curve}`,
    words: `${name} along a line; ${network === undefined ? "" : formatMeasure(network[measure], measure)} at the network.`,
    table: "grid",
    size: "half",
    plot: {
      kind: "lines",
      series: [{ label: "measured", points }, ...parabola, ...markSeries(result, measure)],
      x: { label: axisWords(result, 0) },
      y: { label: words, percent: measure === "error", fromZero: measure === "error" },
    },
  };
}

/** Draws the parabola of slope and curvature, as far as it stays within the range of the losses. */
function parabolaSeries(
  { basis, networks }: LandscapeResult,
  points: readonly { readonly x: number; readonly y: number }[],
): LineSeries[] {
  const [direction] = basis;
  const [network] = networks;
  const { slope, curvature } = direction ?? {};
  if (slope === undefined || curvature === undefined || network === undefined) return [];
  const finite = points.map(({ y }) => y).filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const room = 0.02 * (high - low);
  const from = at(network.place, 0, "coordinate");
  const [first, last] = [at(points, 0, "place").x, at(points, points.length - 1, "place").x];
  const parabola = Array.from({ length: PARABOLA_POINTS }, (_, i) => {
    const x = first + ((last - first) * i) / (PARABOLA_POINTS - 1);
    const y = network.loss + slope * (x - from) + 0.5 * curvature * (x - from) ** 2;
    return { x, y: y >= low - room && y <= high + room ? y : Number.NaN };
  });
  return [{ label: `slope ${formatShort(slope)}, curvature ${formatShort(curvature)}`, points: parabola }];
}

/** Marks networks on a line, each as a dot with its name. */
function markSeries({ networks }: LandscapeResult, measure: Measure): LineSeries[] {
  const on = networks.filter(({ place, loss }) => place.length === 1 && Number.isFinite(loss));
  return [
    {
      label: "networks",
      joined: false,
      style: 2,
      points: on.map((network) => ({
        x: at(network.place, 0, "coordinate"),
        y: network[measure],
        name: network.label,
      })),
    },
  ];
}

function planeFigure(result: LandscapeResult, plane: PlaneResult, measure: Measure): Figure {
  const { name, axis } = measureWords(measure, lossWords(result), result.data);
  const marks = measure === "loss" ? marksOf(result) : [];
  const [network] = plane.models;
  const models = result.directions === "trajectory" ? snapshotsOf(plane.models) : plane.models;
  const missing = plane[measure].flat().filter((value) => !Number.isFinite(value)).length;
  const holes = missing === 0 ? "" : ` ${missing} places have no loss, and are grey.`;
  return {
    name: `plane-${measure}`,
    title: `${name} in the plane,`,
    caption: `${captionOf(result)} Darker is lower, bands grow by factors, dots are networks.${markWords(marks)} ${scaleWords(plane)}${holes}`,
    words: `${name} over a plane, as contours. ${network === undefined ? "" : `${formatMeasure(network[measure], measure)} at ${network.label}.`}`,
    table: "grid",
    size: "half",
    plot: {
      kind: "contours",
      xs: plane.xs,
      ys: plane.ys,
      values: plane[measure],
      models,
      paths: plane.paths,
      marks,
      ...(measure === "error" && { resolution: 1 / result.examples }),
      label: axis,
      format: formatOf(measure),
      axes: { x: axisWords(result, 0), y: axisWords(result, 1) },
    },
  };
}

function markWords(marks: ReturnType<typeof marksOf>): string {
  if (marks.length === 0) return "";
  const edge = marks.some(({ onEdge }) => onEdge)
    ? " Hollow ones are on the edge, where the loss may fall further."
    : "";
  if (marks.every(({ kind }) => kind === "minimum"))
    return edge === ""
      ? " The triangle is the minimum."
      : " The hollow triangle is the lowest place, on the edge, where the loss may fall further.";
  return ` Triangles are minima, crosses are saddles where they join; of many, the most persistent ones.${edge}`;
}

/**
 * Lists the networks of a trajectory with their positions in the training; the result lists the last one
 * first.
 */
function snapshotsOf(models: PlaneResult["models"]): ContourPlot["models"] {
  return models.map(({ label, x, y }, index) => {
    const name = /^\d+$/.test(label) ? `snapshot ${label}` : label;
    if (index === 0) return { label: `end: ${name}`, x, y };
    return index === 1 ? { label: `start: ${name}`, x, y } : { label: name, x, y, minor: true };
  });
}

function marksOf(result: LandscapeResult) {
  const { minima, saddles, shape } = result.topology;
  const lasting = [...minima].sort((a, b) => b.persistence - a.persistence).slice(0, MOST_MARKS);
  const joins = new Set(lasting.flatMap(({ merge }) => merge ?? []));
  const mark = (kind: "minimum" | "saddle", index: number) => {
    const [x = Number.NaN, y = Number.NaN] = coordinatesOf(result, index);
    return { kind, x, y, onEdge: kind === "minimum" && isOnEdge(index, shape) };
  };
  return [
    ...[...joins].map((saddle) => mark("saddle", at(saddles, saddle, "saddle").index)),
    ...lasting.map(({ index }) => mark("minimum", index)),
  ];
}

/** Draws one slice for each coordinate of the third direction. Further directions stay at their middle. */
function slicesFigure(result: LandscapeResult, measure: Measure): Figure {
  const { axes, basis } = result;
  const [xs = [], ys = [], third = [], ...others] = axes;
  const middle = others.map((axis) => Math.floor(axis.length / 2));
  const { name, axis } = measureWords(measure, lossWords(result), result.data);
  const names = others.map((axisOf, k) => {
    const { label = "" } = basis[k + 3] ?? {};
    return `${label} is ${formatShort(at(axisOf, at(middle, k, "index"), "coordinate"))}`;
  });
  const fixed = names.length === 0 ? "" : ` On them, ${names.join(", ")}.`;
  return {
    name: `slices-${measure}`,
    title: `${name} in slices,`,
    caption: `${captionOf(result)} Each slice has ${axisWords(result, 0)} across and ${axisWords(result, 1)} upwards, at the coordinate of ${axisWords(result, 2)} above it; darker is lower, and all have one scale.${fixed}`,
    words: `${name} in ${third.length} slices of a grid.`,
    table: "grid",
    size: "hero",
    plot: {
      kind: "slices",
      xs,
      ys,
      label: axis,
      format: formatOf(measure),
      slices: third.map((coordinate, k) => ({
        label: `${basis[2]?.label ?? ""}: ${formatShort(coordinate)}`,
        values: sliceOf(result, measure, [k, ...middle]),
      })),
    },
  };
}
