import type { Plot } from "@isthmus/findings";
import { drawBarrier } from "./draw-barrier.ts";
import { drawBars } from "./draw-bars.ts";
import { drawContours } from "./draw-contours.ts";
import { drawHeat } from "./draw-heat.ts";
import { drawLines } from "./draw-lines.ts";
import { drawBarcode, drawMergeTree } from "./draw-merge-tree.ts";
import { drawPlaces } from "./draw-places.ts";
import { drawSlices } from "./draw-slices.ts";
import { drawStacks } from "./draw-stacks.ts";
import { drawStrips } from "./draw-strips.ts";
import { drawWalk } from "./draw-walk.ts";
import type { Drawing } from "./drawing.ts";

/** Functions that draw each kind of plot. */
const DRAWERS: { readonly [K in Plot["kind"]]: (plot: Extract<Plot, { readonly kind: K }>) => Drawing } = {
  bars: drawBars,
  barcode: drawBarcode,
  barrier: (plot) => drawBarrier(plot),
  contours: drawContours,
  heat: drawHeat,
  lines: drawLines,
  "merge-tree": drawMergeTree,
  places: drawPlaces,
  slices: drawSlices,
  stacks: drawStacks,
  strips: drawStrips,
  walk: drawWalk,
};

/** Makes the drawing of a plot by its kind. */
export function drawingOf(plot: Plot): Drawing {
  // The table maps each kind to a drawer of that kind; the compiler cannot tell this from a look-up.
  const draw = DRAWERS[plot.kind] as (plot: Plot) => Drawing;
  return draw(plot);
}
