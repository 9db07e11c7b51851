import { endsOf, type PlaneMark } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import type { PlotLibrary } from "./drawing.ts";

/** Colours of marks over the contours: light with a dark halo, which is visible on every band. */
export const OVER = { color: "#ffffff", halo: "#14181c" } as const;

/** Minima and saddles, and the ascending coordinates of the plane they are in. */
interface MarkedPlane {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  readonly marks?: readonly PlaneMark[];
}

/** Marks minima by triangles on their tips, hollow ones if they are on the edge, and saddles by crosses. */
export function pointMarks(plot: PlotLibrary, { marks = [], xs, ys }: MarkedPlane): Markish[] {
  const place = { x: "x", y: "y", title: "kind" } as const;
  const saddles = marks.filter(({ kind }) => kind === "saddle");
  const minima = marks.filter(({ kind }) => kind === "minimum");
  return [
    plot.dot(
      minima.filter(({ onEdge }) => !onEdge),
      { ...place, r: 4, symbol: "triangle2", fill: OVER.color, stroke: OVER.halo, strokeWidth: 1 },
    ),
    plot.dot(saddles, { ...place, r: 4, symbol: "times", stroke: OVER.halo, strokeWidth: 4 }),
    plot.dot(saddles, { ...place, r: 4, symbol: "times", stroke: OVER.color, strokeWidth: 1.75 }),
    ...minima.filter(({ onEdge }) => onEdge).flatMap((mark) => edgeMark(plot, mark, { xs, ys })),
  ];
}

/** Pixels that marks on the edge are moved inwards, so that they lie within the frame. */
const EDGE_INSET = 7;

function edgeMark(
  plot: PlotLibrary,
  { x, y }: { readonly x: number; readonly y: number },
  { xs, ys }: MarkedPlane,
): Markish[] {
  const moved = {
    x: "x",
    y: "y",
    title: "kind",
    r: 4,
    symbol: "triangle2",
    fill: "none",
    dx: EDGE_INSET * sideOf(x, xs),
    dy: -EDGE_INSET * sideOf(y, ys),
  } as const;
  const data = [{ x, y, kind: "minimum on the edge" }];
  return [
    plot.dot(data, { ...moved, stroke: OVER.halo, strokeWidth: 4 }),
    plot.dot(data, { ...moved, stroke: OVER.color, strokeWidth: 1.75 }),
  ];
}

/** Returns the direction to the inside: 1 for the first coordinate, -1 for the last, and 0 for others. */
function sideOf(coordinate: number, coordinates: readonly number[]): -1 | 0 | 1 {
  const [first, last] = endsOf(coordinates);
  if (coordinate === first) return 1;
  return coordinate === last ? -1 : 0;
}
