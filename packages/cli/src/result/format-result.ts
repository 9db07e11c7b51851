import { curvesOf, type DrawableResult } from "@isthmus/report";
import { formatBarriers } from "../format/format-barriers.ts";
import { formatCurve } from "../format/format-curve.ts";
import { formatLayers } from "../format/format-layers.ts";
import { formatPlane } from "../format/format-plane.ts";
import { formatStar } from "../star/format-star.ts";
import { formatStudy } from "../study/format-study.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Formats a result of any kind as small charts and tables, as the verb that made it does. */
export function formatResult(result: DrawableResult, terminal: Terminal): string {
  switch (result.kind) {
    case "barrier":
      return formatBarriers(curvesOf(result), terminal);
    case "layers":
      return formatLayers(result, terminal);
    case "plane":
      return formatPlane(result, terminal);
    case "curve":
      return formatCurve(result, terminal);
    case "star":
      return formatStar(result, terminal);
    case "study":
      return formatStudy(result, terminal);
  }
}
