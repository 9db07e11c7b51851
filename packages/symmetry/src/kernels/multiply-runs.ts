/** Factors of consecutive runs of elements. */
export interface FactorRuns {
  /** Number of elements of a run. */
  readonly step: number;
  /** Factor of each run; after the last run they begin again. */
  readonly factors: Float64Array;
  /** The number around which elements are multiplied. */
  readonly origin: number;
}

/** Multiplies consecutive runs of a part of a tensor by their factors; the part starts at element `begin`. */
export function multiplyRunsInPlace(
  values: Float32Array | Float64Array,
  begin: number,
  runs: FactorRuns,
): void {
  if (runs.step === 1) multiplyLines(values, begin, runs);
  else multiplyLongRuns(values, begin, runs);
}

/** Multiplies elements that each have another factor than their neighbours. */
function multiplyLines(
  values: Float32Array | Float64Array,
  begin: number,
  { factors, origin }: FactorRuns,
): void {
  let run = begin % factors.length;
  for (let i = 0; i < values.length; run = 0) {
    const last = Math.min(values.length, i + factors.length - run);
    for (; i < last; i++, run++) values[i] = origin + factors[run]! * (values[i]! - origin);
  }
}

function multiplyLongRuns(
  values: Float32Array | Float64Array,
  begin: number,
  { step, factors, origin }: FactorRuns,
): void {
  let run = Math.floor(begin / step) % factors.length;
  let end = step - (begin % step);
  for (let i = 0; i < values.length; end += step) {
    const factor = factors[run]!;
    const last = Math.min(values.length, end);
    if (factor === 1) i = last;
    for (; i < last; i++) values[i] = origin + factor * (values[i]! - origin);
    run = run + 1 === factors.length ? 0 : run + 1;
  }
}
