import { productName, vectorName } from "@isthmus/autodiff";
import {
  allocateData,
  at,
  createRandom,
  entry,
  fromFloat64Into,
  innerProduct,
  type Random,
  sizeOf,
  type Tensor,
  toFloat64,
  UnsupportedError,
} from "@isthmus/core";
import { GraphBuilder } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { createMatrix, symmetricEigen } from "@isthmus/linear-algebra";
import type { ObjectiveOutcome } from "@isthmus/training";
import { randomSigns } from "../vectors.ts";

/**
 * Kinds of Fisher information that the factors approximate: `type-2`, exactly the sum over all numbers of an
 * output; `mc`, random signs of its summands; `empirical`, from the gradients for the labels of the data.
 */
export const FISHERS = ["type-2", "mc", "empirical"] as const;

/** Kind of Fisher information that the factors approximate. */
export type Fisher = (typeof FISHERS)[number];

/** How a batch is weighed at the output of the network. */
export interface ColumnOptions {
  /** Kind of Fisher information. */
  readonly fisher: Fisher;
  /** Number of random sums of each example, for `mc`. */
  readonly samples: number;
  /** Seed of the random signs. */
  readonly seed: number;
}

/** Runs a graph of the loss as a function of the network's output on one batch. */
export type RunHead = (tensors: ReadonlyMap<string, Tensor>) => Promise<ObjectiveOutcome>;

/** Most elements of the Hessians of a batch's losses by the output. */
const MOST_ELEMENTS = 2 ** 27;

/**
 * Yields weights of the output's numbers, of its shape: the squares of the gradients that they give add up to
 * the matrix that is measured, times the number of examples of the batch in units of its mean loss.
 * @param batch - number of the batch, which the random signs depend on
 */
export async function* outputColumns(
  attempt: string,
  {
    gradient,
    hessian,
    batch,
  }: { readonly gradient: RunHead; readonly hessian: RunHead; readonly batch: number },
  { fisher, samples, seed }: ColumnOptions,
): AsyncGenerator<Tensor> {
  const slope = await gradient(new Map());
  const { loss, output = "" } = slope.objective;
  const { dtype, shape, data } = entry(slope.results, gradientName(loss, output), "derivative");
  const columnOf = (values: Float64Array): Tensor => ({
    dtype,
    shape,
    data: fromFloat64Into(values, dtype, allocateData(dtype, values.length)),
  });
  if (fisher === "empirical") {
    yield columnOf(toFloat64(data, dtype).map((x) => x * Math.sqrt(slope.count)));
    return;
  }
  const blocks = await rootsOfHessians(attempt, { hessian, columnOf, slope });
  if (fisher === "type-2") yield* everyColumn(blocks, columnOf);
  const random = createRandom(seed, `${attempt} ${batch}`);
  for (let i = 0; fisher === "mc" && i < samples; i++) {
    yield columnOf(randomSum(blocks, random).map((x) => x / Math.sqrt(samples)));
  }
}

/** Square roots of the Hessians of losses by parts of the output that do not depend on one another. */
interface RootBlocks {
  /** Number of parts of each example. */
  readonly parts: number;
  /** Numbers of the output in each part. */
  readonly size: number;
  /** Square roots, `[batch * parts, size, size]`, whose columns are the last axis. */
  readonly roots: Float64Array;
}

/**
 * Computes a square root of the Hessian of every loss by the output, without negative curvature. Parts of the
 * output with a loss of their own, such as tokens or single numbers, have a Hessian of their own.
 */
async function rootsOfHessians(
  attempt: string,
  {
    hessian,
    columnOf,
    slope,
  }: {
    readonly hessian: RunHead;
    readonly columnOf: (values: Float64Array) => Tensor;
    readonly slope: ObjectiveOutcome;
  },
): Promise<RootBlocks> {
  const { objective } = slope;
  const { loss, output = "", losses = "" } = objective;
  const builder = GraphBuilder.from(objective.graph);
  const { shape } = builder.value(output);
  const ofLosses = losses === "" ? shape.slice(0, 1) : builder.value(losses).shape;
  const isPart = ofLosses.length >= shape.length - 1 && ofLosses.every((extent, i) => extent === shape[i]);
  const count = sizeOf(isPart ? ofLosses : shape.slice(0, 1));
  const [all, batch] = [sizeOf(shape), at(shape, 0, "extent")];
  const size = all / count;
  if (all * size > MOST_ELEMENTS) {
    throw new UnsupportedError(
      `Cannot ${attempt} as the Hessians of a batch's losses by the output "${output}" would have ${all * size} elements: take the Fisher information of kind empirical, or a smaller batch size`,
      { feature: "large outputs" },
    );
  }
  const roots = new Float64Array(all * size);
  for (let column = 0; column < size; column++) {
    const unit = columnOf(Float64Array.from({ length: all }, (_, i) => (i % size === column ? 1 : 0)));
    const { results } = await hessian(new Map([[vectorName(output), unit]]));
    const { data, dtype } = entry(results, productName(loss, output), "product");
    for (const [i, x] of toFloat64(data, dtype).entries()) roots[i * size + column] = x;
  }
  for (let block = 0; block < count; block++) {
    rootInPlace(roots.subarray(block * size * size, (block + 1) * size * size), size);
  }
  return { parts: count / batch, size, roots };
}

/** Overwrites a symmetric matrix by a square root of its positive part. */
function rootInPlace(matrix: Float64Array, size: number): void {
  const { values, vectors } = symmetricEigen(createMatrix(size, size, matrix.slice()));
  for (const [i, x] of vectors.data.entries()) {
    matrix[i] = x * Math.sqrt(Math.max(0, at(values, i % size, "eigenvalue")));
  }
}

/** Yields each column of the square roots of each part of the examples, 0 in all other parts. */
function* everyColumn({ parts, size, roots }: RootBlocks, columnOf: (values: Float64Array) => Tensor) {
  for (let part = 0; part < parts; part++) {
    for (let column = 0; column < size; column++) {
      const values = new Float64Array(roots.length / size);
      for (let i = 0; i < values.length; i++) {
        if (Math.floor(i / size) % parts === part) values[i] = at(roots, i * size + column, "element");
      }
      yield columnOf(values);
    }
  }
}

/** Adds up the columns of every part with random signs. */
function randomSum({ size, roots }: RootBlocks, random: Random): Float64Array {
  const values = new Float64Array(roots.length / size);
  for (let first = 0; first < values.length; first += size) {
    const signs = randomSigns(random, size);
    for (let i = first; i < first + size; i++) {
      values[i] = innerProduct(roots.subarray(i * size, (i + 1) * size), signs);
    }
  }
  return values;
}
