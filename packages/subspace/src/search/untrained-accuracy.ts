import { at } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { SeedAccuracy, UntrainedAccuracy } from "../intrinsic-dimension-result.ts";

/** Standard errors by which a full accuracy must be above what is reached without training. */
const STANDARD_ERRORS = 3;

/** Examples that are read at once. */
const CHUNK = 1000;

/**
 * Says whether accuracies mean that something was learned: if full trainings, and the line, are above what
 * networks reach before any training and what the most frequent class reaches.
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

/** Returns the share of the most frequent class; undefined if labels are not of whole examples. */
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
