import { MATCH_WEIGHTS_DEFAULTS } from "@isthmus/weight-matching";
import type { PairSelection } from "../description/study-description.ts";
import type { Planner } from "../plan/planner.ts";
import type { PlannedPair } from "../plan/select-pairs.ts";
import type { TaskInputs } from "../plan/task.ts";
import { ALIGNMENT_FILE, alignNetworks } from "../tasks/align-networks.ts";

/** Plans the alignment of a pair, where one is wanted; returns the files of the pair. */
export function planPair(
  { a, b }: PlannedPair,
  { align = "none", restarts = MATCH_WEIGHTS_DEFAULTS.restarts }: PairSelection,
  planner: Planner,
): TaskInputs {
  const exportedFrom = a.exportedFrom ?? b.exportedFrom;
  const files: TaskInputs = {
    graph: [a.graph],
    a: [a.weights],
    b: [b.weights],
    ...(exportedFrom !== undefined && { exportedFrom: [exportedFrom] }),
  };
  if (align === "none") return files;
  const { key } = planner.add(alignNetworks, {
    params: { method: align, seed: planner.seed, restarts },
    inputs: files,
    label: `align ${b.label} to ${a.label}`,
  });
  return { ...files, alignment: [{ task: key, file: ALIGNMENT_FILE }] };
}
