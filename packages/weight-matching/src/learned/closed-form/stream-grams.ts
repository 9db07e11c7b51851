import { at, type Checkpoint, entry, InputError, toFloat64 } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, limitExamples, planFeeds } from "@isthmus/graph";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import type { MixingSymmetries, StreamNorm } from "@isthmus/symmetry";
import { addInPlace } from "./weight-grams.ts";

/** Options of {@link streamGrams}. */
export interface StreamGramsOptions {
  readonly data: DataSet;
  /** Examples to take, from the first. */
  readonly examples: number;
  /** Examples in one engine call. */
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
}

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
  { graph, engine }: Architecture,
  [a, b]: readonly [Checkpoint, Checkpoint],
  { spaces, norms }: MixingSymmetries,
  { data, examples, batchSize, signal }: StreamGramsOptions,
): Promise<Float64Array[]> {
  const grams = spaces.map(({ size }) => new Float64Array(size * size));
  if (norms.length === 0) return grams;
  const sites = new Map<string, StreamNorm>(norms.map((norm) => [norm.input, norm]));
  const seen = limitExamples("align streams", data, examples);
  const plan = planFeeds("align streams", graph, seen, batchSize);
  const inner = [...sites.keys()];
  const session = await engine.load({ ...graph, outputs: inner.map((name) => ({ name })) });
  try {
    const weights = await Promise.all([a, b].map((network) => bindWeights(graph, network)));
    for (const range of plan.ranges) {
      signal?.throwIfAborted();
      const fed = plan.read(range);
      const runs = [];
      for (const bound of weights) runs.push(await session.run(new Map([...bound, ...fed.feeds])));
      for (const [name, { space }] of sites) {
        const { size } = at(spaces, space, "space");
        const rows = runs.map((results) => {
          const { data: values, dtype, shape } = entry(results, name, "value");
          const perRow = at(shape, 0, "batch") === fed.rows ? fed.examples / fed.rows : 1;
          const values64 = toFloat64(values, dtype).subarray(0, Math.round(values.length * perRow));
          return createMatrix(values64.length / size, size, dividedByRms(values64, size));
        });
        const product = multiply(at(rows, 0, "run"), at(rows, 1, "run"), { transposeLeft: true });
        addInPlace(at(grams, space, "space"), product.data);
      }
    }
  } finally {
    await session.release();
  }
  for (const gram of grams) {
    if (gram.every(Number.isFinite)) continue;
    throw new InputError(
      `Cannot align streams on "${data.name}" as activations must be finite: some are not; are the weights of "${a.source}" and "${b.source}" finite?`,
      { input: data.name },
    );
  }
  return grams;
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
