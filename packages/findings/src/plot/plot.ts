import type { BarPlot } from "./bar-plot.ts";
import type { BarcodePlot } from "./barcode-plot.ts";
import type { BarrierPlot } from "./barrier-plot.ts";
import type { ContourPlot } from "./contour-plot.ts";
import type { HeatPlot } from "./heat-plot.ts";
import type { LinePlot } from "./line-plot.ts";
import type { MergeTreePlot } from "./merge-tree-plot.ts";
import type { PlacePlot } from "./place-plot.ts";
import type { SlicePlot } from "./slice-plot.ts";
import type { StackPlot } from "./stack-plot.ts";
import type { StripPlot } from "./strip-plot.ts";
import type { WalkPlot } from "./walk-plot.ts";

/** Plot of a figure, as plain data: its `kind` names the way it is drawn. */
export type Plot =
  | BarPlot
  | BarcodePlot
  | BarrierPlot
  | ContourPlot
  | HeatPlot
  | LinePlot
  | MergeTreePlot
  | PlacePlot
  | SlicePlot
  | StackPlot
  | StripPlot
  | WalkPlot;
