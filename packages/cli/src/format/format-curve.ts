import type { CurveResult } from "@isthmus/curve";
import type { Terminal } from "../terminal/terminal.ts";
import { formatPaths } from "./format-paths.ts";

/** Shows a curve and the line beside it as a chart of the loss and a table. */
export function formatCurve(result: CurveResult, terminal: Terminal): string {
  const { curve, path, line } = result;
  return formatPaths(
    [
      [curve, path],
      ["line", line],
    ],
    terminal,
    result,
  );
}
