import { OutOfRangeError } from "@isthmus/core";
import { type Matrix, type MatrixProducts, plainProducts } from "@isthmus/linear-algebra";
import { openJournal } from "@isthmus/tasks";
import {
  ATTEMPT,
  assertSampleCount,
  type MeasureSimilarityOptions,
  resolveSimilarityOptions,
} from "../similarity-options.ts";
import { createBlockCka } from "./block-cka.ts";
import type { Similarities } from "./measure.ts";
import { openMeasure } from "./open-measure.ts";
import { createRepresentation } from "./representation.ts";

/** Options of {@link compareRepresentations}. */
export type CompareRepresentationsOptions = Pick<
  MeasureSimilarityOptions,
  "measures" | "estimator" | "block" | "bandwidth" | "variance" | "anchors" | "neighbours" | "seed"
>;

/**
 * Measures the similarity of two matrices of activations, by the measures and with the defaults of
 * {@link measureSimilarity}.
 * @param matrices - `[samples, features]` each, of the same samples; f64 is computed in f64 throughout
 * @throws OutOfRangeError if the samples differ in number or are too few, or an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createMatrix } from "@isthmus/linear-algebra";
 * import { compareRepresentations } from "@isthmus/similarity";
 *
 * const x = Float64Array.from({ length: 30 }, (_, i) => Math.sin(i * i));
 * const reversed = x.map((_, i) => x[i - (i % 3) + 2 - (i % 3)] ?? Number.NaN);
 * const options = { measures: ["linear-cka", "procrustes"] } as const;
 * const matrices = [createMatrix(10, 3, x), createMatrix(10, 3, reversed)] as const;
 * const result = await compareRepresentations(matrices, options);
 * assert(Math.abs((result["linear-cka"] ?? 0) - 1) < 1e-12);
 * assert(Math.abs((result.procrustes ?? 0) - 1) < 1e-12);
 * ```
 */
export async function compareRepresentations(
  [x, y]: readonly [Matrix, Matrix],
  options: CompareRepresentationsOptions = {},
  products: MatrixProducts = plainProducts,
): Promise<Similarities> {
  const resolved = resolveSimilarityOptions(options);
  if (x.rows !== y.rows) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as both matrices must have the same samples: they have ${x.rows} and ${y.rows}`,
    );
  }
  assertSampleCount(resolved, x.rows);
  const { measures, estimator, block, bandwidth } = resolved;
  const isBlock = (name: string) =>
    estimator === "minibatch" && (name === "linear-cka" || name === "rbf-cka");
  const numbers: Similarities[] = [];
  const kernels = (["linear-cka", "rbf-cka"] as const).filter(
    (name) => measures.includes(name) && isBlock(name),
  );
  if (kernels.length > 0) {
    const blocks = createBlockCka({ block, bandwidth, kernels, products });
    await blocks.add([x], [y]);
    numbers.push(
      Object.fromEntries([...blocks.result()].map(([name, table]) => [name, table[0]?.[0] ?? null])),
    );
  }
  const [a, b] = [await createRepresentation(x, products), await createRepresentation(y, products)];
  const sides = { counts: { left: 1, right: 1 }, hold: async () => ({ left: [a], right: [b] }) };
  const journal = await openJournal(undefined, {});
  for (const name of measures.filter((measure) => !isBlock(measure))) {
    const [[pair = {}] = []] = await openMeasure(name, resolved)(sides, journal, () => undefined);
    numbers.push(pair);
  }
  return Object.assign({}, ...numbers);
}
