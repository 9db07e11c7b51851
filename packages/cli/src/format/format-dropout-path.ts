import { formatNumber } from "@isthmus/findings";
import type { DropoutPathResult } from "@isthmus/paths";
import type { Terminal } from "../terminal/terminal.ts";
import { formatPaths } from "./format-paths.ts";

/** Shows a path through networks without half of their units, and what lies beside it. */
export function formatDropoutPath(result: DropoutPathResult, terminal: Terminal): string {
  const { path, line, beside, segments, bound, order, mixed } = result;
  const paths = formatPaths(
    [["path", path], ["line", line], ...beside.map(({ name, path: other }) => [name, other] as const)],
    terminal,
  );
  const guaranteed =
    order === "layers"
      ? "so high is its loss at most"
      : `nothing is guaranteed, as ${mixed.length === 0 ? "all layers lost their units on one line" : `something combines the units of ${mixed.join(", ")}, such as layer norm`}`;
  return `${paths}\n\nThe path has ${segments.length} straight lines. The worst network on it without half of its units has a loss of ${formatNumber(bound)}: ${guaranteed}.`;
}
