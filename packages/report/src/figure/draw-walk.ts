import { at } from "@isthmus/core";
import { alikeFormat, type WalkGround, type WalkPlot, type WalkView } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { frameOf, horizontalAxis, verticalAxis } from "./axes.ts";
import { painter } from "./band-colors.ts";
import { COLOR_LEGEND_HEIGHT, colorLegend } from "./color-legend.ts";
import { customMark, type Drawn } from "./custom-mark.ts";
import type { Drawing, PlotLibrary } from "./drawing.ts";
import { type Label, labelMark } from "./labels.ts";
import { curveColor } from "./palette.ts";
import { OVER, pointMarks } from "./plane-marks.ts";
import { aspectOf, boundsOf, cellsOf, type Point, strokesOf } from "./walk-shapes.ts";

const MARGIN = { right: 20, bottom: 46, left: 52, top: 10 } as const;
/** Width below which a picture is as high as wide. */
const NARROW = 400;
/** Height of the frame relative to its width, on wide and on narrow pictures. */
const ASPECT = { wide: 0.55, narrow: 1 } as const;

/** Draws the last view of a map to walk on: its ground, lines and paths, and networks with their names. */
export function drawWalk(figure: WalkPlot): Drawing {
  const view = figure.views.at(-1);
  if (view === undefined) return () => ({ marks: [] });
  const ground = view.name === "ground" ? figure.ground : undefined;
  const legends = legendsOf(figure, ground);
  return (plot, width) => {
    const inner = width - MARGIN.left - MARGIN.right;
    const height = inner * aspectOf(view.places, ground, width < NARROW ? ASPECT.narrow : ASPECT.wide);
    const top = MARGIN.top + COLOR_LEGEND_HEIGHT * legends.length;
    const { x, y } = boundsOf(view.places, ground, height / inner);
    const count = width < NARROW ? 4 : 6;
    return {
      ...frameOf(width, Math.round(top + height + MARGIN.bottom), { ...MARGIN, top }),
      x: { domain: [...x] },
      y: { domain: [...y] },
      marks: [
        ...(ground === undefined ? [] : [cellsMark(ground), ...groundMarks(plot, ground)]),
        ...verticalAxis(plot, { label: "", beside: true }, y).slice(1),
        ...horizontalAxis(plot, { label: "distance between weights" }, x, { count }),
        plot.frame({ stroke: "var(--isthmus-grid)" }),
        linesMark(figure, view),
        ...networkMarks(plot, figure, view),
        ...legends,
      ],
    };
  };
}

/** Makes the legends of the colours of lines, and of the ground below it. */
function legendsOf({ words, scale }: WalkPlot, ground: WalkGround | undefined): Markish[] {
  const of = [
    { label: words.barrier, scale },
    ...(ground ? [{ label: words.loss, scale: ground.scale }] : []),
  ];
  return of.map(({ label, scale: { levels, ...colors } }, i) =>
    colorLegend({
      label,
      scale: { levels, ...colors },
      format: alikeFormat(levels),
      above: COLOR_LEGEND_HEIGHT * (of.length - 1 - i),
    }),
  );
}

/** Draws the points of a view, each with the names of all networks on it. */
function networkMarks(
  plot: PlotLibrary,
  { networks }: WalkPlot,
  { groups, places, off }: WalkView,
): Markish[] {
  const points = groups.flatMap((group) => {
    const head = at(group, 0, "network");
    const place = at(places, head, "place");
    const distance = off === undefined ? 0 : at(off, head, "distance");
    const members = group.map((i) => at(networks, i, "network"));
    const name = members.map((one) => one.name).join(" = ");
    const looks = { star: members.some(({ star }) => star), far: distance !== null && distance > 0 };
    return place ? [{ x: place[0], y: place[1], name, ...looks }] : [];
  });
  const label = ({ x, y, name }: (typeof points)[number]): Label => ({
    places: [{ x, y }],
    text: name,
    important: true,
  });
  return [
    ...points.map((point) => {
      const color = curveColor(point.star ? 0 : 1);
      // Networks beside the ground are hollow.
      const [fill, stroke] = point.far ? ["var(--isthmus-background)", color] : [color, OVER.color];
      const symbol = point.star ? "star" : "circle";
      return plot.dot([point], {
        x: "x",
        y: "y",
        title: "name",
        strokeWidth: point.far ? 2.5 : 1.5,
        fill,
        stroke,
        r: point.star ? 7 : 5,
        symbol,
      });
    }),
    labelMark(points.map(label), { avoid: points }),
  ];
}

const toPixels =
  ({ scales }: Drawn) =>
  ([x, y]: Point): Point => [Number(scales.x?.(x)), Number(scales.y?.(y))];

/** Draws each measured place of the ground as a square of its colour. */
function cellsMark(ground: WalkGround): Markish {
  const paint = painter(ground.scale);
  return customMark((drawn) => {
    const pixels = toPixels(drawn);
    for (const { corners, loss } of cellsOf(ground)) {
      const color = loss === null || !Number.isFinite(loss) ? "var(--isthmus-muted)" : paint(loss);
      const d = `M${corners.map(pixels).join("L")}Z`;
      drawn.add("path", { d, fill: color, stroke: color, "stroke-width": 0.6 });
    }
  });
}

/** Marks the minima and saddles of the ground. */
function groundMarks(plot: PlotLibrary, { xs, ys, marks }: WalkGround): Markish[] {
  const places = marks.map(({ kind, place: [x, y] }) => ({ kind, x, y }));
  return pointMarks(plot, { xs, ys, marks: places });
}

/** Draws the lines between networks, coloured and as thick as their barriers say, and paths as arcs. */
function linesMark(figure: WalkPlot, view: WalkView): Markish {
  const paint = painter(figure.scale);
  return customMark((drawn) => {
    for (const { kind, d, width, loss } of strokesOf(figure, view, view.lines, toPixels(drawn))) {
      const dashes = kind === "path" ? "7 5" : "none";
      const line = { d, fill: "none", "stroke-linecap": "round", "stroke-dasharray": dashes };
      const color = loss === undefined ? curveColor(2) : paint(loss);
      drawn.add("path", { ...line, stroke: "var(--isthmus-background)", "stroke-width": width + 2 });
      drawn.add("path", { ...line, stroke: color, "stroke-width": width });
    }
  });
}
