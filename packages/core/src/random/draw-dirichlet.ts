import { OutOfRangeError } from "../errors.ts";
import { sumOf } from "../sum-of.ts";
import type { Random } from "./create-random.ts";

/**
 * Draws proportions from a Dirichlet distribution: independent gamma variables, divided by their sum. The
 * variables are computed as logarithms, as for small concentrations most of them are below the smallest
 * positive number.
 * @param concentrations - concentration of each proportion, more than 0
 * @returns proportions, each at least 0, with a sum of 1
 * @throws OutOfRangeError if there are no concentrations, or one is not more than 0
 */
export function drawDirichlet(concentrations: ArrayLike<number>, random: Random): Float64Array {
  const alphas = Float64Array.from(concentrations);
  const wrong = alphas.find((alpha) => !(alpha > 0 && Number.isFinite(alpha)));
  if (alphas.length === 0 || wrong !== undefined) {
    throw new OutOfRangeError(
      `Cannot draw proportions as there must be at least one concentration, each a number of more than 0: got ${wrong ?? "none"}`,
    );
  }
  const logs = alphas.map((alpha) => drawLogGamma(alpha, random));
  const largest = logs.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const weights = logs.map((value) => Math.exp(value - largest));
  const sum = sumOf(weights);
  return weights.map((weight) => weight / sum);
}

/**
 * Draws the logarithm of a gamma variable of scale 1, by Marsaglia and Tsang, A simple method for generating
 * gamma variables, 2000; for shapes below 1 by their section 6, from a variable with a shape larger by 1.
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
