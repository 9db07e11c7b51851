import type { Random } from "@isthmus/core";

/**
 * Draws proportions from the symmetric Dirichlet distribution: independent gamma variables, divided by their
 * sum. It is done with logarithms, as for a small concentration most of the variables are below the smallest
 * number.
 * @returns `[count]`, none below 0, with a sum of 1
 */
export function drawDirichlet(alpha: number, count: number, random: Random): Float64Array {
  const logs = Float64Array.from({ length: count }, () => drawLogGamma(alpha, random));
  const largest = logs.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const weights = logs.map((value) => Math.exp(value - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Draws the logarithm of a gamma variable of scale 1, by Marsaglia and Tsang, A simple method for generating
 * gamma variables, 2000; below shape 1 by their section 6, from one of a shape larger by 1.
 */
function drawLogGamma(shape: number, random: Random): number {
  if (shape < 1) {
    // 1 - u is never 0, so the logarithm is finite.
    const log = Math.log(1 - random.uniform());
    return drawLogGamma(shape + 1, random) + log / shape;
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = random.normal();
    const cube = (1 + c * normal) ** 3;
    if (cube <= 0) continue;
    const log = Math.log(1 - random.uniform());
    if (log < normal ** 2 / 2 + d - d * cube + d * Math.log(cube)) return Math.log(d) + Math.log(cube);
  }
}
