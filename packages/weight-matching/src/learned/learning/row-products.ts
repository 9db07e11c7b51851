import { createTensor, entry, sizeOf, type Tensor } from "@isthmus/core";
import { createFeedHolder } from "@isthmus/graph";
import { GraphBuilder, mul, reduceSum, sum, type Value } from "@isthmus/graph/builder";
import type { FramedPair } from "../stream-frame.ts";
import {
  type ChangedWeight,
  changedWeights,
  less,
  type MixedRows,
  type MixingFactor,
  multiplyRows,
  type RowGroup,
  toRows,
} from "./changed-weights.ts";
import { ONE_THREAD, OPSET } from "./midpoint-mixer.ts";

/** A product of rows of gradients and of weights that one matrix mixes. */
export interface MatrixProduct extends MixingFactor {
  /** Product `[size, size]`: the sums of `gradient_i weight_j`. */
  readonly product: Float32Array;
}

/** Products of rows of gradients and of weights that factors multiply. */
export interface FactorProduct {
  /** Code of the variable of each row, as in a `FactorField`: `v + 1`, `-(v + 1)` or 0. */
  readonly variables: Int32Array;
  /** Sum of `gradient weight` for each row. */
  readonly product: Float32Array;
}

/** Products of gradients by weights, from which gradients of matrices and factors are computed. */
export interface RowProducts {
  /** Products `[size, size]` for the matrices of spaces and their inverses. */
  readonly matrices: readonly MatrixProduct[];
  /** Products of each row, from which gradients of scales are summed. */
  readonly factors: readonly FactorProduct[];
  /** Products of rows of movable units; their space is the index of the units. */
  readonly units: readonly MatrixProduct[];
}

/** Multiplies gradients by weights, row by row, by the engine. */
export interface RowMultiplier {
  /** Returns the products, which the next call overwrites. */
  multiply(
    gradients: ReadonlyMap<string, Tensor>,
    network: ReadonlyMap<string, Tensor>,
  ): Promise<RowProducts>;
  /** Frees the sessions of the engine. */
  release(): Promise<void>;
}

/**
 * Prepares the products from which gradients of matrices and factors are computed: one graph computes them
 * for all weights, in f32, and writes into the same tensors each time.
 *
 * @param names - weights that have gradients
 */
export async function createRowMultiplier(
  { architecture, frame }: Pick<FramedPair, "architecture" | "frame">,
  names: readonly string[],
): Promise<RowMultiplier> {
  const weights = changedWeights(architecture, frame).filter(({ name }) => names.includes(name));
  const builder = new GraphBuilder("products", OPSET);
  const out = new Map<string, Tensor>();
  const output = (value: Value): Float32Array => {
    const { name, shape } = builder.rename(value, `product ${out.size}`);
    const data = new Float32Array(sizeOf(shape));
    out.set(name, createTensor("f32", shape, data));
    return data;
  };
  const { sums, factors, units } = addProducts(builder, weights);
  const products: RowProducts = {
    matrices: sums.flatMap(({ group, parts }) => splitStack(group, output(sum(parts)))),
    factors: factors.map(({ variables, value }) => ({ variables, product: output(value) })),
    units: units.flatMap(({ group, parts }) => splitStack(group, output(sum(parts)))),
  };
  const outputs = [...out.keys()].map((name) => builder.value(name));
  const session =
    outputs.length === 0 ? undefined : await architecture.engine.load(builder.build(outputs), ONE_THREAD);
  const hold = createFeedHolder({ memory: session?.memory });
  return {
    async multiply(gradients, network) {
      const feeds = new Map<string, Tensor>();
      for (const { name } of weights) {
        feeds.set(`gradient ${name}`, entry(gradients, name, "gradient"));
        feeds.set(`weight ${name}`, entry(network, name, "weight"));
      }
      await session?.run(await hold(feeds), out);
      return products;
    },
    async release() {
      await session?.release();
    },
  };
}

/** Products of several weights that the same matrices mix in the same order. */
interface MatrixSum {
  readonly group: RowGroup;
  readonly parts: Value[];
}

/** Adds all products to a graph. */
function addProducts(builder: GraphBuilder, weights: readonly ChangedWeight[]) {
  const sums = new Map<string, MatrixSum>();
  const units = new Map<string, MatrixSum>();
  const factors: { readonly variables: Int32Array; readonly value: Value }[] = [];
  for (const { name, shape, mixed, multiplied, permuted } of weights) {
    const [gradient, weight] = ["gradient", "weight"].map((what) =>
      builder.input(`${what} ${name}`, { dtype: "f32", shape }),
    ) as [Value, Value];
    for (const rows of mixed) addMatrixProducts(sums, [gradient, weight], rows);
    for (const rows of permuted) addMatrixProducts(units, [gradient, weight], rows);
    for (const rows of multiplied) {
      const changed = mul(gradient, less(weight, rows.origin));
      const value = reduceSum(toRows(changed, rows), { axes: [1] });
      factors.push({ variables: rows.variables, value });
    }
  }
  return { sums: [...sums.values()], factors, units: [...units.values()] };
}

/** Adds the products of the rows of a gradient and a weight to sums. */
function addMatrixProducts(
  sums: Map<string, MatrixSum>,
  [gradient, weight]: readonly [Value, Value],
  rows: MixedRows,
): void {
  const [left, right] = [toRows(gradient, rows), toRows(weight, rows)];
  for (const group of rows.groups) {
    const key = group.factors.map(({ space, isInverse }) => `${space} ${isInverse}`).join();
    const { parts } = sums.get(key) ?? { parts: [] };
    sums.set(key, { group, parts: [...parts, multiplyRows(left, right, group)] });
  }
}

/** Takes a stack of matrices apart. */
function splitStack({ factors, size }: RowGroup, stack: Float32Array): MatrixProduct[] {
  const length = size * size;
  return factors.map((factor, place) => ({
    ...factor,
    product: stack.subarray(place * length, (place + 1) * length),
  }));
}
