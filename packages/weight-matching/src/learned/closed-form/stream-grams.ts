import { at, type Checkpoint, InputError, type Tensor, toFloat64 } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import { createMatrix, type Matrix, multiply } from "@isthmus/linear-algebra";
import type { MixingSymmetries, StreamNorm } from "@isthmus/symmetry";
import { type BothRuns, type RunBothOptions, runBoth } from "./run-both.ts";
import { addInPlace } from "./weight-grams.ts";

/**
 * Computes, for each residual stream, the products of the activations of two networks on the same inputs, in
 * front of every norm: `[size, size]`, the mean over all tokens and norms of `z_A z_B^T`, where `z` is the
 * activation divided by its root mean square, so that late layers, whose activations are larger, do not
 * decide alone. Means stay: the mean activation of a position says most about directions.
 *
 * @returns one gram for each space, zeros for a space that no norm measures
 * @throws InputError if the data do not fit the graph, or activations are not finite
 */
export async function streamGrams(
  architecture: Architecture,
  networks: readonly [Checkpoint, Checkpoint],
  { spaces, norms }: MixingSymmetries,
  options: RunBothOptions,
): Promise<Float64Array[]> {
  const grams = spaces.map(({ size }) => new Float64Array(size * size));
  if (norms.length === 0) return grams;
  const sites = new Map<string, StreamNorm>(norms.map((norm) => [norm.input, norm]));
  const values = { attempt: "align streams", names: [...sites.keys()] };
  for await (const runs of runBoth(architecture, networks, values, options)) {
    for (const [name, { space }] of sites) {
      const { size } = at(spaces, space, "space");
      const [one, two] = runs.valuesOf(name);
      const product = multiply(tokenRows(one, runs, size), tokenRows(two, runs, size), {
        transposeLeft: true,
      });
      addInPlace(at(grams, space, "space"), product.data);
    }
  }
  for (const gram of grams) {
    if (gram.every(Number.isFinite)) continue;
    throw new InputError(
      `Cannot align streams on "${options.data.name}" as activations must be finite: some are not; are the weights of "${networks[0].source}" and "${networks[1].source}" finite?`,
      { input: options.data.name },
    );
  }
  return grams;
}

/** Returns the activations of tokens, `[tokens, size]`, each divided by its root mean square. */
function tokenRows({ data, dtype, shape }: Tensor, { rows, examples }: BothRuns, size: number): Matrix {
  const perRow = at(shape, 0, "batch") === rows ? examples / rows : 1;
  const values = toFloat64(data, dtype).subarray(0, Math.round(data.length * perRow));
  return createMatrix(values.length / size, size, dividedByRms(values, size));
}

/** Divides each row, `[size]`, by the root of its mean square; a row of zeros stays. */
function dividedByRms(values: Float64Array, size: number): Float64Array {
  for (let begin = 0; begin < values.length; begin += size) {
    const row = values.subarray(begin, begin + size);
    let sum = 0;
    for (const value of row) sum += value * value;
    if (sum === 0) continue;
    const factor = 1 / Math.sqrt(sum / size);
    for (let i = 0; i < size; i++) row[i] = (row[i] as number) * factor;
  }
  return values;
}
