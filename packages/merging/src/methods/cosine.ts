import { sizeOf, sumOf } from "@isthmus/core";
import { scanTensor } from "@isthmus/interpolation";
import { addVectorProducts, layVectors, lerpVectors } from "../kernels/vector-arcs.ts";
import type { MergedTensor, MergeMethod } from "../merge-method.ts";
import { computeBlocks, eachBlock } from "../number-blocks.ts";
import { cosineOf } from "../sphere/arc.ts";
import type { OfMerge } from "../task-vectors/parameters.ts";

type CosineSpecs = {
  /** Number that is taken off the similarity. */
  readonly alpha: OfMerge<number>;
};

const PARAMETERS: CosineSpecs = {
  alpha: {
    description:
      "What is taken off the similarity; the rest, from 0 to 1, is the share of the first network.",
    of: "merge",
  },
};

/** Bytes that a survey holds for each vector: three sums and a share, in f64. */
const BYTES_OF_VECTOR = 32;

/**
 * Point on the line between two networks for each vector along the first axis of a tensor: the share of the
 * first network is the cosine of the angle between its vector and the second's, less `alpha`, from 0 to 1.
 * So vectors that point the same way stay the first network's, and others become the second's.
 *
 * supermerger has the same rule, but stretches similarities over the range that they have in the whole model;
 * sd-mecha and this method do not, so that a tensor depends on no other.
 */
export const cosineA: MergeMethod<CosineSpecs, Float64Array> = defineCosine({
  name: "cosine_a",
  description: "Keeps vectors of the first network that point as the second's do, and takes others from it.",
  withWhole: false,
});

/** Method as {@link cosineA} by the mean of two cosines, of the vector and of the whole tensor. */
export const cosineB: MergeMethod<CosineSpecs, Float64Array> = defineCosine({
  name: "cosine_b",
  description: "Does as cosine_a by the mean of two cosines, of each vector and of the whole tensor.",
  withWhole: true,
});

function defineCosine({
  withWhole,
  ...named
}: Pick<MergeMethod, "name" | "description"> & { readonly withWhole: boolean }): MergeMethod<
  CosineSpecs,
  Float64Array
> {
  return {
    ...named,
    source: "recoilme, losslessmix, 2023; sd-mecha 1.1, cosine.py, 2025",
    parameters: PARAMETERS,
    networks: { least: 2, most: 2, base: "none" },
    keepsTensor: true,
    heldBytes: ({ shape }) => BYTES_OF_VECTOR * layVectors(shape, "first").count,
    survey: (tensor) => measureShares(tensor, withWhole),
    blendInto({ tensor, parts, begin, survey: shares }, out) {
      const layout = layVectors(tensor.info.shape, "first");
      computeBlocks(parts, out, ([x, y = x], offset) => lerpVectors([x, y], begin + offset, layout, shares));
    },
  };
}

/** Measures the share of the second network in each vector along the first axis. */
async function measureShares(
  { name, info, networks, parameters }: MergedTensor<CosineSpecs>,
  withWhole: boolean,
): Promise<Float64Array> {
  const layout = layVectors(info.shape, "first");
  const sums = new Float64Array(3 * layout.count);
  if (sizeOf(info.shape) > 0) {
    await scanTensor(networks, name, (parts, begin) => {
      eachBlock(parts, ([x, y = x], offset) =>
        addVectorProducts([x, y, undefined], begin + offset, layout, sums),
      );
    });
  }
  const whole = [0, 1, 2].map((kind) => sumOf(sums.filter((_, i) => i % 3 === kind)));
  return Float64Array.from({ length: layout.count }, (_, i) => {
    const ofVector = similarity(sums.subarray(3 * i, 3 * i + 3));
    const similar = withWhole ? (ofVector + similarity(whole)) / 2 : ofVector;
    return 1 - Math.min(1, Math.max(0, similar - parameters.alpha));
  });
}

function similarity([squareA = 0, product = 0, squareB = 0]: Iterable<number>): number {
  return cosineOf(product, squareA, squareB);
}
