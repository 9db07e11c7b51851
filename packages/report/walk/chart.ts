import { digits, draw, svg } from "./dom.ts";
import type { Way } from "./state.ts";

/** A way in a chart of losses, with its colour and its mark. */
export interface ChartWay extends Way {
  /** Index of its style. */
  readonly style: number;
}

const EDGE = { left: 52, right: 14, top: 12, bottom: 34 } as const;
const HEIGHT = 230;
/** Marks of curves, which differ without colour. */
const MARKS = [
  "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z",
  "M-4,-4H4V4H-4Z",
  "M0,-5L5,4H-5Z",
  "M0,-5.5L5,0L0,5.5L-5,0Z",
];

/** Returns the mark of a style. */
export const markOf = (style: number): string => MARKS[style % MARKS.length] ?? "";

/** Returns the colour of a style. */
export const hueOf = (style: number): string => `var(--isthmus-curve-${style % 8})`;

/** Draws the losses along ways, and where on one of them the reader stands. */
export function drawChart(root: SVGElement, ways: readonly ChartWay[], here: Way["points"][number]): void {
  const width = root.clientWidth || 360;
  const measured = ways.map((way) => ({
    ...way,
    points: way.points.filter(({ loss }) => Number.isFinite(loss)),
  }));
  const losses = measured.flatMap(({ points }) => points.map(({ loss }) => loss));
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  const x = (t: number) => Math.round(10 * (EDGE.left + t * (width - EDGE.left - EDGE.right))) / 10;
  const down = HEIGHT - EDGE.bottom;
  const y = (loss: number) =>
    Math.round(10 * (down - ((loss - low + room) / (high - low + 2 * room)) * (down - EDGE.top))) / 10;
  const marks = (way: ChartWay) =>
    way.points.map(({ t, loss }) =>
      svg("path", {
        d: markOf(way.style),
        fill: hueOf(way.style),
        transform: `translate(${x(t)},${y(loss)})`,
      }),
    );
  const curve = (way: ChartWay) =>
    svg("path", {
      ...{ d: `M${way.points.map(({ t, loss }) => `${x(t)},${y(loss)}`).join("L")}`, class: "curve" },
      ...{ stroke: hueOf(way.style), "stroke-dasharray": ["", "7 4", "2 4"][way.style % 3] },
    });
  const ticks = [low, (low + high) / 2, high].map((loss) => [
    svg("path", { d: `M${EDGE.left},${y(loss)}H${width - EDGE.right}`, class: "rule" }),
    svg(
      "text",
      { x: EDGE.left - 6, y: y(loss), dy: ".35em", "text-anchor": "end" },
      String(Number(loss.toPrecision(3))),
    ),
  ]);
  const places = [0, 0.25, 0.5, 0.75, 1].map((t) =>
    svg("text", { x: x(t), y: down + 16, "text-anchor": "middle" }, digits(t)),
  );
  draw(
    root,
    [width, HEIGHT],
    [
      ...(high > low ? ticks.flat() : ticks.slice(0, 1).flat()),
      ...places,
      svg("text", { x: width - EDGE.right, y: HEIGHT - 4, "text-anchor": "end" }, "place t on the way"),
      ...measured.filter(({ points }) => points.length > 0).map(curve),
      ...measured.flatMap(marks),
      svg("circle", { class: "walker", cx: x(here.t), cy: y(here.loss), r: 8 }),
    ],
  );
}
