import { at } from "@isthmus/core";
import {
  type ColorScale,
  type ContourPlot,
  endsOf,
  sequentialScale,
  shownAspect,
  textWidth,
} from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { frameOf, horizontalAxis, verticalAxis } from "./axes.ts";
import { bandColors } from "./band-colors.ts";
import { COLOR_LEGEND_HEIGHT, colorLegend } from "./color-legend.ts";
import type { Drawing, PlotLibrary } from "./drawing.ts";
import { type Label, labelMark } from "./labels.ts";
import { OVER, pointMarks } from "./plane-marks.ts";
import { resample } from "./resample.ts";

/** Maximum number of levels of a plane. */
const MOST_LEVELS = 10;
const MARGIN = { right: 20, bottom: 46, left: 52, top: 12 } as const;
const DASHES = ["", "7 4", "2 4"] as const;

/**
 * Draws values over a plane as filled contours, and networks and paths in it; both axes have the same scale
 * unless the plane is a strip.
 */
export function drawContours(figure: ContourPlot): Drawing {
  const { xs, ys, values, resolution, label, format } = figure;
  const scale = sequentialScale(values.flat(), MOST_LEVELS, resolution);
  const [x, y] = [endsOf(xs), endsOf(ys)];
  const aspect = shownAspect(figure);
  return (plot, width) => {
    const marginTop = MARGIN.top + COLOR_LEGEND_HEIGHT;
    const inner = width - MARGIN.left - MARGIN.right;
    return {
      ...frameOf(width, Math.round(marginTop + MARGIN.bottom + inner * aspect), {
        ...MARGIN,
        top: marginTop,
      }),
      color: { type: "identity" },
      x: { domain: x },
      y: { domain: y },
      marks: [
        ...contourMarks(plot, figure, scale),
        missingMark(plot, figure),
        ...verticalAxis(plot, { label: yLabel(figure, inner * aspect), beside: true }, y).slice(1),
        ...horizontalAxis(plot, { label: figure.axes?.x ?? "x (distance between weights)" }, x, { count: 5 }),
        plot.frame({ stroke: "var(--isthmus-muted)" }),
        ...pathMarks(plot, figure),
        ...pointMarks(plot, figure),
        ...modelMarks(plot, figure),
        labelMark(labelsOf(figure), { ...OVER, avoid: obstaclesOf(figure) }),
        colorLegend({ label, scale, format }),
      ],
    };
  };
}

/** Labels of the vertical axis, from the longest to the shortest: the first one that fits is shown. */
const Y_LABELS = ["y (distance between weights)", "y (same unit)"] as const;

const yLabel = ({ axes }: ContourPlot, room: number): string =>
  (axes === undefined ? Y_LABELS : [axes.y, axes.y.replace(/ \(.*/, "")]).find(
    (words) => textWidth(words) <= room,
  ) ?? "y";

/**
 * Draws the contours of the grid itself, whose values lie in the middle of cells; values and levels are
 * compared by their logarithms.
 */
function contourMarks(plot: PlotLibrary, { xs, ys, values }: ContourPlot, scale: ColorScale): Markish[] {
  const { levels } = scale;
  const colors = bandColors(scale);
  const finite = values.flat().filter(Number.isFinite);
  const highest = Math.max(...finite);
  const floor = Math.min(...finite.filter((value) => value > 0), Math.max(highest, 1e-11)) / 10;
  const logarithm = (value: number): number =>
    Math.log(Math.max(floor, Number.isFinite(value) ? value : highest));
  const cells = resample(
    xs,
    ys,
    values.map((row) => row.map(logarithm)),
  );
  const [width, height] = [xs.length, ys.length];
  const [halfX, halfY] = [
    (endsOf(xs)[1] - endsOf(xs)[0]) / (width - 1) / 2,
    (endsOf(ys)[1] - endsOf(ys)[0]) / (height - 1) / 2,
  ];
  const bounds = {
    x1: endsOf(xs)[0] - halfX,
    x2: endsOf(xs)[1] + halfX,
    y1: endsOf(ys)[0] - halfY,
    y2: endsOf(ys)[1] + halfY,
  };
  // One mark per level, as the library would otherwise choose the colour of each contour through its own
  // scale.
  return [
    plot.frame({ fill: colors[0] ?? "none", stroke: "none" }),
    ...levels.map((level, index) =>
      plot.contour(cells, {
        ...bounds,
        width,
        height,
        value: (cell: number) => cell,
        thresholds: [logarithm(level)],
        fill: colors[index + 1] ?? "none",
        stroke: OVER.color,
        strokeOpacity: 0.35,
        strokeWidth: 0.75,
        clip: true,
        interpolate: null as never,
      }),
    ),
  ];
}

/** Draws cells around positions without a value. */
function missingMark(plot: PlotLibrary, { xs, ys, values }: ContourPlot): Markish {
  const edges = (coordinates: readonly number[], index: number): readonly [number, number] => {
    const here = at(coordinates, index, "coordinate");
    return [(here + (coordinates[index - 1] ?? here)) / 2, (here + (coordinates[index + 1] ?? here)) / 2];
  };
  const cells = ys.flatMap((_, row) =>
    xs.flatMap((__, column) => {
      if (Number.isFinite(values[row]?.[column])) return [];
      const [[x1, x2], [y1, y2]] = [edges(xs, column), edges(ys, row)];
      return [{ x1, x2, y1, y2 }];
    }),
  );
  return plot.rect(cells, {
    x1: "x1",
    x2: "x2",
    y1: "y1",
    y2: "y2",
    fill: "var(--isthmus-muted)",
    inset: -0.25,
  });
}

function pathMarks(plot: PlotLibrary, { paths }: ContourPlot): Markish[] {
  return paths.flatMap(({ points }, index) => [
    plot.line(points, { stroke: OVER.halo, strokeWidth: 4, strokeOpacity: 0.75 }),
    plot.line(points, {
      stroke: OVER.color,
      strokeWidth: 2,
      strokeDasharray: at(DASHES, index % DASHES.length),
    }),
  ]);
}

function modelMarks(plot: PlotLibrary, { models }: ContourPlot): Markish[] {
  return [
    plot.dot(models, {
      x: "x",
      y: "y",
      r: ({ minor }: ContourPlot["models"][number]) => (minor ? 3.5 : 5),
      fill: OVER.color,
      stroke: OVER.halo,
      strokeWidth: 2,
      title: "label",
    }),
  ];
}

/** Positions along a path where its name may stand, as shares of its points, the best first. */
const NAME_PLACES = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8] as const;
/** Number of pieces of a path that names keep clear of. */
const PIECES = 40;

function labelsOf({ models, paths }: ContourPlot): Label[] {
  return [
    ...[...models]
      .sort((one, other) => Number(one.minor ?? false) - Number(other.minor ?? false))
      .map(({ label, x, y, minor }) => ({ places: [{ x, y }], text: label, important: !minor })),
    ...paths.map(({ label, points }) => ({
      places: NAME_PLACES.map((share) => placeOn(points, share)),
      text: label,
    })),
  ];
}

function obstaclesOf({ models, paths }: ContourPlot): { readonly x: number; readonly y: number }[] {
  const along = paths.flatMap(({ points }) =>
    Array.from({ length: PIECES + 1 }, (_, piece) => placeOn(points, piece / PIECES)),
  );
  return [...models, ...along];
}

/** Finds the position at a share of a path's points, with linear interpolation between them. */
function placeOn(
  points: ContourPlot["paths"][number]["points"],
  share: number,
): { readonly x: number; readonly y: number } {
  const place = share * (points.length - 1);
  const from = points[Math.floor(place)] ?? [0, 0];
  const to = points[Math.ceil(place)] ?? from;
  const between = place - Math.floor(place);
  return { x: from[0] + between * (to[0] - from[0]), y: from[1] + between * (to[1] - from[1]) };
}
