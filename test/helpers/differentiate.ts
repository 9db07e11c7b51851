/** How to take differences. */
export interface DifferenceOptions {
  /** First step. */
  readonly step: number;
  /**
   * Largest relative disagreement between the differences of a step and half of it that the extrapolated one
   * is trusted at, its own error being about the square of that; beyond it, as near a kink or a pole, a step
   * of 1/16 is tried. 0 takes the first.
   */
  readonly agreement: number;
}

/** Steps that are tried at most; more would only measure rounding. */
const ATTEMPTS = 4;
const SHRINK = 16;

/**
 * Derivative at 0 of a function of one number with any number of results, by central differences of two
 * steps, extrapolated to fourth order (Richardson).
 */
export async function differentiate(
  evaluate: (t: number) => Promise<readonly number[]>,
  { step, agreement }: DifferenceOptions,
): Promise<number[]> {
  let [results, error] = await extrapolate(evaluate, step);
  for (let attempt = 1, h = step / SHRINK; attempt < ATTEMPTS; attempt++, h /= SHRINK) {
    if (agreement === 0 || error <= agreement) break;
    const [finer, finerError] = await extrapolate(evaluate, h);
    if (finerError < error) [results, error] = [finer, finerError];
  }
  return results;
}

async function extrapolate(
  evaluate: (t: number) => Promise<readonly number[]>,
  step: number,
): Promise<[number[], number]> {
  const coarse = await central(evaluate, step);
  const fine = await central(evaluate, step / 2);
  const scale = 1 + Math.max(0, ...fine.map(Math.abs));
  const error = Math.max(0, ...fine.map((value, i) => Math.abs(value - (coarse[i] ?? 0)) / scale));
  return [fine.map((value, i) => (4 * value - (coarse[i] ?? 0)) / 3), error];
}

async function central(evaluate: (t: number) => Promise<readonly number[]>, step: number): Promise<number[]> {
  const ahead = await evaluate(step);
  const behind = await evaluate(-step);
  return ahead.map((value, i) => (value - (behind[i] ?? 0)) / (2 * step));
}
