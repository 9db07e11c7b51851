import { at } from "@isthmus/core";

/**
 * A stretch of whole numbers with a constant step: `[first, count, step]`; the step is left out if it is 1.
 */
export type Run = readonly [number, number] | readonly [number, number, number];

/** Shortest stretch worth a step other than 1. */
const MIN_STEP_RUN = 3;

/** Compresses whole numbers to stretches with a constant step. */
export function encodeRuns(values: ArrayLike<number>): Run[] {
  const runs: Run[] = [];
  for (let begin = 0; begin < values.length; ) {
    const run = runAt(values, begin);
    runs.push(run);
    begin += run[1];
  }
  return runs;
}

/** Finds the longest stretch that begins at a place, or one number where it is too short for its step. */
function runAt(values: ArrayLike<number>, begin: number): Run {
  const first = at(values, begin, "number");
  const step = begin + 1 < values.length ? at(values, begin + 1, "number") - first : 1;
  let end = begin + 1;
  while (end < values.length && at(values, end, "number") - at(values, end - 1, "number") === step) end++;
  if (step === 1) return [first, end - begin];
  return end - begin >= MIN_STEP_RUN ? [first, end - begin, step] : [first, 1];
}
