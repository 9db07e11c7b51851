import { at } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { SeedAccuracy, UntrainedAccuracy } from "../intrinsic-dimension-result.ts";

/**
 * Number of standard errors by which the accuracy of full trainings must be above the accuracies without
 * training.
 */
const STANDARD_ERRORS = 3;

/** Number of examples that are read at once. */
const CHUNK = 1000;

/**
 * Decides whether something was learned: if full trainings, and the line, are above the accuracies of
 * networks before training and of predicting the most frequent class.
 */
export function judgeUntrained(
  start: readonly SeedAccuracy[],
  evaluation: DataSet,
  { full, line }: { readonly full: number; readonly line: number },
): UntrainedAccuracy {
  const guess = shareOfLargestClass(evaluation);
  const reached = start.reduce((sum, { accuracy }) => sum + accuracy, 0) / start.length;
  const best = Math.max(reached, guess ?? reached);
  const standardError = Math.sqrt((best * (1 - best)) / evaluation.size);
  return {
    start,
    ...(guess !== undefined && { guess }),
    startReaches: reached >= line,
    learned: line > best && full > best + STANDARD_ERRORS * standardError,
  };
}

/** Returns the share of the most frequent class; undefined if labels do not belong to whole examples. */
export function shareOfLargestClass({
  size,
  classes,
  labelling = "example",
  read,
}: DataSet): number | undefined {
  if (labelling !== "example") return;
  const counts = new Uint32Array(classes);
  for (let begin = 0; begin < size; begin += CHUNK) {
    for (const label of read(begin, Math.min(size, begin + CHUNK)).labels) {
      counts[label] = at(counts, label, "class") + 1;
    }
  }
  return Math.max(...counts) / size;
}
