import {
  type Checkpoint,
  composeCheckpoint,
  defineCheckpoint,
  entry,
  formatShape,
  fromFloat64Into,
  MismatchError,
  OutOfRangeError,
  resolveOptions,
  sameShape,
} from "@isthmus/core";
import { average } from "@isthmus/interpolation";
import { type MatrixProducts, plainProducts } from "@isthmus/linear-algebra";
import { solveWeight } from "./solve-weight.ts";

/** Options of {@link regmean}. */
export interface RegmeanOptions {
  /**
   * Factor of the products of different inputs, in `[0, 1]`: below 1 the solution moves towards an average
   * weighted by single inputs, which protects it from overfitting. @defaultValue 0.95
   */
  readonly offDiagonal?: number;
  /**
   * Multiplier of matrices; `createProducts(engine)` is several times faster. @defaultValue `plainProducts`
   */
  readonly products?: MatrixProducts;
}

/** Defaults of {@link regmean}. */
export const REGMEAN_DEFAULTS: Required<RegmeanOptions> = { offDiagonal: 0.95, products: plainProducts };

/**
 * Merges networks, lazily, so that the outputs of each linear layer on the data of every network are as close
 * as possible to the outputs of that network's layer: `W = (sum of W_i G_i) (sum of G_i)^-1` with
 * `G_i = X_i^T X_i` (Jin et al., Dataless knowledge fusion by merging weights of language models, 2023,
 * equation 1).
 *
 * Tensors without Gram matrices are averaged. A whole linear layer is solved in f64 when it is first read, by
 * products of matrices: `inputs^2 outputs` multiplications for each network, and twice as many for the
 * solution.
 *
 * @param networks - at least one network, all of one structure
 * @param grams - for each network a checkpoint with a Gram matrix `[inputs, inputs]` under the name of each
 *   weight `[outputs, inputs]` that is to be solved: sums over examples of products of the layer's inputs
 * @throws MismatchError if names or shapes differ, or, when a tensor is read, if the sum of the Gram matrices
 *   is singular
 * @throws OutOfRangeError if the number of Gram checkpoints differs from the number of networks, or
 *   `offDiagonal` is not in `[0, 1]`
 */
export function regmean(
  networks: readonly Checkpoint[],
  grams: readonly Checkpoint[],
  options: RegmeanOptions = {},
): Checkpoint {
  const { offDiagonal, products } = resolveOptions("merge by RegMean", REGMEAN_DEFAULTS, options);
  const mean = average(networks);
  const [first] = grams;
  if (first === undefined || grams.length !== networks.length) {
    throw new OutOfRangeError(
      `Cannot merge by RegMean as each of ${networks.length} networks needs Gram matrices of its data: got ${grams.length}`,
    );
  }
  if (!(offDiagonal >= 0 && offDiagonal <= 1)) {
    throw new OutOfRangeError(
      `Cannot merge by RegMean as "offDiagonal" must be in [0, 1]: it is ${offDiagonal}`,
    );
  }
  for (const name of first.tensors.keys()) assertGrams(name, mean, grams);
  const solved = createSolved(networks, grams, { offDiagonal, products }, mean);
  const places = [...mean.tensors.keys()].map(
    (name) => [name, { checkpoint: first.tensors.has(name) ? solved : mean, name }] as const,
  );
  return composeCheckpoint(new Map(places), {
    source: `regmean(${networks.map(({ source }) => source).join(", ")})`,
    metadata: mean.metadata,
  });
}

/** Makes the checkpoint of the solved weights; each weight is kept until another weight is solved. */
function createSolved(
  networks: readonly Checkpoint[],
  grams: readonly Checkpoint[],
  options: Required<RegmeanOptions>,
  mean: Checkpoint,
): Checkpoint {
  let latest: { readonly name: string; readonly data: Promise<Float64Array> } | undefined;
  return defineCheckpoint({
    source: "solved weights",
    tensors: mean.tensors,
    inputs: [...networks, ...grams],
    async readInto(name, begin, out) {
      if (latest?.name !== name) latest = { name, data: solveWeight(name, networks, grams, options) };
      const data = await latest.data;
      const { dtype } = entry(mean.tensors, name, "tensor");
      fromFloat64Into(data.subarray(begin, begin + out.length), dtype, out);
    },
  });
}

function assertGrams(name: string, mean: Checkpoint, grams: readonly Checkpoint[]): void {
  const weight = mean.tensors.get(name);
  for (const gram of grams) {
    const info = gram.tensors.get(name);
    const [outputs, inputs, ...more] = weight?.shape ?? [];
    if (outputs !== undefined && inputs !== undefined && more.length === 0) {
      if (info !== undefined && sameShape(info.shape, [inputs, inputs])) continue;
    }
    throw new MismatchError(
      `Cannot merge "${name}" by RegMean as a weight [outputs, inputs] needs a Gram matrix [inputs, inputs] from every network: ` +
        `the weight is ${weight === undefined ? "missing" : formatShape(weight.shape)}, ` +
        `the matrix of "${gram.source}" is ${info === undefined ? "missing" : formatShape(info.shape)}`,
      { parameters: [name] },
    );
  }
}
