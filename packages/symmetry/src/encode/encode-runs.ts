/** A stretch of whole numbers with a constant step: `[first, count, step]`; the step is left out if it is 1. */
export type Run = readonly [number, number] | readonly [number, number, number];

/** Shortest stretch worth a step other than 1. */
const MIN_STEP_RUN = 3;

/** Compresses whole numbers to stretches with a constant step. */
export function encodeRuns(values: ArrayLike<number>): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < values.length; ) {
    const run = runAt(values, at);
    runs.push(run);
    at += run[1];
  }
  return runs;
}

function runAt(values: ArrayLike<number>, at: number): Run {
  const first = values[at] ?? 0;
  const step = at + 1 < values.length ? (values[at + 1] ?? 0) - first : 1;
  let end = at + 1;
  while (end < values.length && (values[end] ?? 0) - (values[end - 1] ?? 0) === step) end++;
  if (step === 1) return [first, end - at];
  return end - at >= MIN_STEP_RUN ? [first, end - at, step] : [first, 1];
}
