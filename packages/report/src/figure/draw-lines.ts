import {
  type Axis,
  hasMarks,
  type LinePlot,
  type LinePoint,
  type LineSeries,
  textWidth,
} from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { domainOf, formatOnAxis, frameOf, horizontalAxis, verticalAxis } from "./axes.ts";
import { type Drawing, heightFor, type PlotLibrary } from "./drawing.ts";
import { type Label, labelMark } from "./labels.ts";
import { layOutLegend, legendMarks } from "./legend.ts";
import { type CurveStyle, curveStyle } from "./palette.ts";

const MARGIN = { right: 24, bottom: 46, left: 58, top: 28 } as const;
/** Height of a legend that fits into the default height of the figure, in pixels. */
const LEGEND_ROOM = 40;
/** Number of points of a line from which its marks are small. */
const SMALL_FROM = 40;
/** Draws lines or dots with intervals over two axes, linear or logarithmic. */
export function drawLines(figure: LinePlot): Drawing {
  const { series, x, y } = figure;
  const points = series.flatMap((line) => line.points);
  const values = points.flatMap(({ y: value, low, high }) => [value, low ?? value, high ?? value]);
  const places = points.map((point) => point.x).filter(Number.isFinite);
  const shared = figure.diagonal ? domainOf([...values, ...places], y) : undefined;
  const yDomain = shared ?? domainOf(values, y);
  const xDomain =
    shared ?? (x.scale === "log" || x.names ? domainOf(places, x) : (x.domain ?? tightDomain(places, x)));
  return (plot, width) => {
    const legend = layOutLegend(
      series.map(({ label }) => label),
      width - MARGIN.left - MARGIN.right,
    );
    const shown = series.length > 1;
    return {
      ...frameOf(width, heightFor(width) + (shown ? Math.max(0, legend.height - LEGEND_ROOM) : 0), {
        ...MARGIN,
        top: MARGIN.top + (shown ? legend.height : 0),
      }),
      x: { type: x.scale ?? "linear", domain: [...xDomain] },
      y: { type: y.scale ?? "linear", domain: yDomain, nice: !y.domain && y.scale !== "log" && !shared },
      marks: [
        ...verticalAxis(plot, y, yDomain),
        ...horizontalAxis(plot, thinNames(x, width), xDomain, {
          count: width < 400 ? 4 : 6,
          grid: figure.diagonal === true,
        }),
        ...(shared ? [diagonalMark(plot, shared)] : []),
        ...series.flatMap((line, index) => seriesMarks(plot, line, curveStyle(line.style ?? index), figure)),
        labelMark(labelsOf(series), { avoid: points.filter(({ name }) => name !== undefined) }),
        ...(shown
          ? series.flatMap(({ style }, index) =>
              legendMarks(plot, curveStyle(style ?? index), legend.items[index]),
            )
          : []),
      ],
    };
  };
}

/**
 * Computes the range of a horizontal axis, which ends where the data end: a path has no positions beyond its
 * ends.
 */
function tightDomain(places: readonly number[], axis: Axis): [number, number] {
  const [low, high] = [Math.min(...places), Math.max(...places)];
  return low === high ? domainOf(places, axis) : [axis.fromZero ? Math.min(0, low) : low, high];
}

/** Leaves out every second name, or more, if the names would overlap. */
function thinNames(axis: Axis, width: number): Axis {
  if (!axis.names) return axis;
  const room = (width - MARGIN.left - MARGIN.right) / axis.names.length;
  const widest = Math.max(...axis.names.map(textWidth)) + 8;
  const stride = Math.ceil(widest / room);
  return { ...axis, ticks: axis.names.map((_, index) => index).filter((index) => index % stride === 0) };
}

function diagonalMark(plot: PlotLibrary, [low, high]: readonly [number, number]): Markish {
  return plot.line(
    [
      [low, low],
      [high, high],
    ],
    { stroke: "var(--isthmus-muted)", strokeDasharray: "2 4" },
  );
}

function seriesMarks(
  plot: PlotLibrary,
  { label, points, joined = true }: LineSeries,
  { color, symbol }: CurveStyle,
  { x, y }: LinePlot,
): Markish[] {
  const bounded = points.filter(({ low, high }) => low !== undefined && high !== undefined);
  const place = { x: "x", y: "y" } as const;
  const bounds = { x: "x", y1: "low", y2: "high" } as const;
  const marks: Markish[] = [];
  if (joined) {
    marks.push(plot.areaY(bounded, { ...bounds, fill: color, fillOpacity: 0.16 }));
    marks.push(plot.line(points, { ...place, stroke: color, strokeWidth: 2 }));
  } else {
    marks.push(plot.ruleX(bounded, { ...bounds, stroke: color, strokeWidth: 1.5 }));
  }
  if (joined && !hasMarks(points.length)) return marks;
  marks.push(
    plot.dot(points, {
      ...place,
      r: points.length > SMALL_FROM ? 2 : joined ? 3 : 4,
      symbol,
      fill: joined ? "var(--isthmus-background)" : color,
      fillOpacity: joined ? 1 : 0.6,
      stroke: color,
      strokeWidth: 1.5,
      title: (point: LinePoint) => {
        const names = [label, point.name].filter((name) => name !== undefined && name !== "");
        return `${names.join(", ")}${names.length > 0 ? ": " : ""}${formatOnAxis(x, point.x)}, ${formatOnAxis(y, point.y)}`;
      },
    }),
  );
  return marks;
}

function labelsOf(series: readonly LineSeries[]): Label[] {
  return series.flatMap(({ points }) =>
    points.flatMap(({ x, y, name }) => (name === undefined ? [] : [{ places: [{ x, y }], text: name }])),
  );
}
