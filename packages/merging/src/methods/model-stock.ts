import { at, sizeOf } from "@isthmus/core";
import { allocateNumbers } from "../kernels/block-memory.ts";
import type { Numbers } from "../kernels/task-vectors.ts";
import { addChanges, addScaledTo, productOf } from "../kernels/vectors.ts";
import type { MergeMethod } from "../merge-method.ts";
import type { OfMerge } from "../task-vectors/parameters.ts";
import { scanDeltas } from "../task-vectors/scan-deltas.ts";
import { writeDeltas } from "../task-vectors/write-deltas.ts";

/** Least product of two lengths in the cosine, so that vectors of length 0 have a right angle. */
const LEAST_LENGTHS = 1e-6;

/** Size of a denominator below which it counts as 0. */
const LEAST_DENOMINATOR = 1e-6;

type ModelStockSpecs = { readonly filter_wise: OfMerge<boolean> };

/** Ratios of the steps from the base towards the mean of the networks. */
interface StockSurvey {
  /** Number of consecutive elements that share one ratio. */
  readonly rowLength: number;
  readonly ratios: Float64Array;
}

/**
 * Point between the base and the mean of the networks, by the angles between the differences of the networks
 * from the base.
 */
export const modelStock: MergeMethod<ModelStockSpecs, StockSurvey> = {
  name: "model_stock",
  description:
    "Goes from the base towards the mean of the networks, further the smaller the angles between them are.",
  source: "Jang et al., Model stock, 2024, equation 7",
  parameters: {
    filter_wise: {
      description: "Whether each row of the last axis has an angle of its own, not each tensor.",
      of: "merge",
      default: false,
    },
  },
  networks: { least: 2, base: "required" },
  async survey(tensor) {
    const { shape } = tensor.info;
    const size = Math.max(1, sizeOf(shape));
    const rowLength = tensor.parameters.filter_wise ? Math.max(1, shape.at(-1) ?? 1) : size;
    const ratios = new Float64Array(size / rowLength);
    if (ratios.length > 1) {
      await scanDeltas(
        tensor,
        ({ begin, deltas }) => {
          for (let from = 0; from < at(deltas, 0, "network").length; from += rowLength) {
            const row = deltas.map((delta) => delta.subarray(from, from + rowLength));
            ratios[(begin + from) / rowLength] = stockRatio(productsOf(row));
          }
        },
        { rowLength },
      );
      return { rowLength, ratios };
    }
    const products = tensor.networks.map(() => tensor.networks.map(() => 0));
    await scanDeltas(tensor, ({ deltas }) => {
      for (const [i, row] of productsOf(deltas).entries()) {
        const sums = at(products, i, "network");
        for (const [j, product] of row.entries()) sums[j] = at(sums, j, "network") + product;
      }
    });
    ratios[0] = stockRatio(products);
    return { rowLength, ratios };
  },
  blendInto(range, out) {
    const { rowLength, ratios } = range.survey;
    return writeDeltas(range, out, ({ begin, base, deltas }, result) => {
      const changes = allocateNumbers(base instanceof Float64Array, base.length);
      const last = begin + base.length;
      for (let from = begin; from < last; from = (Math.floor(from / rowLength) + 1) * rowLength) {
        const until = Math.min(last, (Math.floor(from / rowLength) + 1) * rowLength);
        const share = at(ratios, Math.floor(from / rowLength), "row") / deltas.length;
        const [first, end] = [from - begin, until - begin];
        for (const delta of deltas)
          addScaledTo(changes.subarray(first, end), delta.subarray(first, end), share);
      }
      addChanges(base, changes, result);
    });
  },
};

/** Computes the inner products of all pairs of vectors, each once: entries below the diagonal stay 0. */
function productsOf(vectors: readonly Numbers[]): number[][] {
  return vectors.map((left, i) => vectors.map((right, j) => (j < i ? 0 : productOf(left, right))));
}

/**
 * Computes the step from a base towards the mean of `N` networks: `t = N cos / (1 + (N - 1) cos)`, where
 * `cos` is the mean cosine of the angles between their differences from the base.
 *
 * If the denominator vanishes, the networks pull apart, and the formula does not apply: the base is kept.
 * @param products - inner products of the differences, `[N][N]`; only the upper half is read
 */
function stockRatio(products: readonly (readonly number[])[]): number {
  const lengths = products.map((row, i) => Math.sqrt(at(row, i, "network")));
  const count = products.length;
  let sum = 0;
  for (const [i, row] of products.entries()) {
    for (let j = i + 1; j < count; j++) {
      const size = Math.max(at(lengths, i, "network") * at(lengths, j, "network"), LEAST_LENGTHS);
      sum += Math.max(-1, Math.min(1, at(row, j, "network") / size));
    }
  }
  const cosine = sum / ((count * (count - 1)) / 2);
  const denominator = 1 + (count - 1) * cosine;
  return Math.abs(denominator) < LEAST_DENOMINATOR ? 0 : (count * cosine) / denominator;
}
