import { at, type Checkpoint, sumOf, toFloat64 } from "@isthmus/core";
import {
  createMatrix,
  type Matrix,
  type MatrixProducts,
  solvePositiveDefinite,
  transposeMatrix,
} from "@isthmus/linear-algebra";

/** Share of the mean of the diagonal that is added, so that directions that no logit sees stay as they are. */
const RIDGE = 1e-6;

/**
 * Computes the linear map from the last residual stream of a dense model to that of a mixture after which the
 * mixture's output head has the logits of the model's head, in least squares over all words. Means of logits
 * are taken away, as a softmax does not see them.
 * @returns map `[width, width]`, to be applied to rows from the right; undefined if a head or norm is missing
 */
export async function matchHeads(
  mixture: Checkpoint,
  dense: Checkpoint,
  products: MatrixProducts,
): Promise<Matrix | undefined> {
  const [ours, theirs] = [await readHead(mixture), await readHead(dense)];
  if (ours === undefined || theirs === undefined || ours.data.length !== theirs.data.length) return undefined;
  const gram = await products.multiply(ours, ours, { transposeLeft: true });
  const width = gram.columns;
  const added = (RIDGE * sumOf(Array.from({ length: width }, (_, i) => at(gram.data, i * (width + 1))))) / width;
  const cross = await products.multiply(ours, theirs, { transposeLeft: true });
  for (let i = 0; i < width; i++) {
    const place = i * (width + 1);
    gram.data[place] = at(gram.data, place) + added;
    cross.data[place] = at(cross.data, place) + added;
  }
  const solved = await solvePositiveDefinite(gram, cross, products);
  return solved && transposeMatrix(solved);
}

/** Reads the head with the weights of the last norm and without the mean over words, `[words, width]`. */
async function readHead(network: Checkpoint): Promise<Matrix | undefined> {
  const name = ["lm_head.weight", "model.embed_tokens.weight"].find((known) => network.tensors.has(known));
  if (name === undefined || !network.tensors.has("model.norm.weight")) return undefined;
  const [head, norm] = [await network.read(name), await network.read("model.norm.weight")];
  const [words, width] = [at(head.shape, 0), at(head.shape, 1)];
  const scales = toFloat64(norm.data, norm.dtype);
  const data = toFloat64(head.data, head.dtype).map((value, place) => value * at(scales, place % width));
  const means = new Float64Array(width);
  for (const [place, value] of data.entries())
    means[place % width] = at(means, place % width) + value / words;
  return createMatrix(words, width, data.map((value, place) => value - at(means, place % width)));
}
