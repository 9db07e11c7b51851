/** A stretch of whole numbers with a constant step: `[first, count, step]`; the step is left out if it is 1. */
export type Run = readonly [number, number] | readonly [number, number, number];

/** Shortest stretch worth a step other than 1. */
const MIN_STEP_RUN = 3;

/** Compresses whole numbers to stretches with a constant step. */
export function encodeRuns(values: ArrayLike<number>): Run[] {
  const runs: Run[] = [];
  let at = 0;
  while (at < values.length) {
    const first = values[at] ?? 0;
    const step = at + 1 < values.length ? (values[at + 1] ?? 0) - first : 1;
    let end = at + 1;
    while (end < values.length && (values[end] ?? 0) - (values[end - 1] ?? 0) === step) end++;
    const count = step === 1 || end - at >= MIN_STEP_RUN ? end - at : 1;
    runs.push(step === 1 || count === 1 ? [first, count] : [first, count, step]);
    at += count;
  }
  return runs;
}
