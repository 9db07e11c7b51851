import type { WalkedPathResult } from "@isthmus/paths";
import type { Terminal } from "../terminal/terminal.ts";
import { formatPaths } from "./format-paths.ts";

/** Shows a path that layers walked one after the other, and what lies beside it. */
export function formatWalkedPath(result: WalkedPathResult, terminal: Terminal): string {
  const { path, line, beside, segments, moves, trainSteps, steps } = result;
  const paths = formatPaths(
    [["path", path], ["line", line], ...beside.map(({ name, path: other }) => [name, other] as const)],
    terminal,
  );
  return `${paths}\n\n${segments.length} layers walked in ${moves} moves each, after ${trainSteps} steps of training before each move, ${steps} in all.`;
}
