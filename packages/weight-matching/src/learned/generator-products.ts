import { at, createTensor, entry, sizeOf, type Tensor } from "@isthmus/core";
import { GraphBuilder, sum, type Value } from "@isthmus/graph/builder";
import { OPSET } from "./midpoint-mixer.ts";
import { type MixedWeight, type MixingFactor, mixedWeights, multiplyRows, toRows } from "./mixed-rows.ts";
import type { FramedPair } from "./stream-frame.ts";

/** A product of the rows of gradients and of weights that one matrix mixes. */
export interface RowProduct extends MixingFactor {
  /** `[size, size]`: the sums of `gradient_i weight_j`. */
  readonly product: Float32Array;
}

/** Multiplies gradients by weights, row by row, by the engine. */
export interface GeneratorProducts {
  /** Returns the products, which the next call overwrites. */
  multiply(
    gradients: ReadonlyMap<string, Tensor>,
    network: ReadonlyMap<string, Tensor>,
  ): Promise<readonly RowProduct[]>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/** Products of several weights that the same matrices mix in the same order. */
interface ProductGroup {
  readonly factors: readonly MixingFactor[];
  readonly size: number;
  readonly parts: Value[];
}

/**
 * Prepares the products of which gradients of generators are made: one graph computes them for all weights,
 * in f32.
 * @param names - weights that there are gradients of
 */
export async function createGeneratorProducts(
  { architecture: { graph, engine }, frame }: Pick<FramedPair, "architecture" | "frame">,
  names: readonly string[],
): Promise<GeneratorProducts> {
  const mixable = mixedWeights(graph, frame.symmetries.mixing).filter(({ name }) => names.includes(name));
  const builder = new GraphBuilder("generators", OPSET);
  const groups = groupProducts(builder, mixable);
  const outputs = groups.map(({ parts }, index) => builder.rename(sum(parts), `products ${index}`));
  const session = groups.length === 0 ? undefined : await engine.load(builder.build(outputs));
  const out = new Map<string, Tensor>();
  const products = groups.flatMap(({ factors, size }, index): RowProduct[] => {
    const { name, shape } = at(outputs, index, "output");
    const data = new Float32Array(sizeOf(shape));
    out.set(name, createTensor("f32", shape, data));
    const matrix = size * size;
    return factors.map((factor, place) => ({
      ...factor,
      product: data.subarray(place * matrix, (place + 1) * matrix),
    }));
  });
  return {
    async multiply(gradients, network) {
      const feeds = new Map<string, Tensor>();
      for (const { name } of mixable) {
        feeds.set(`gradient ${name}`, entry(gradients, name, "gradient"));
        feeds.set(`weight ${name}`, entry(network, name, "weight"));
      }
      await session?.run(feeds, out);
      return products;
    },
    async release() {
      await session?.release();
    },
  };
}

function groupProducts(builder: GraphBuilder, weights: readonly MixedWeight[]): ProductGroup[] {
  const groups = new Map<string, ProductGroup>();
  for (const { name, shape, views } of weights) {
    const [gradient, weight] = ["gradient", "weight"].map((what) =>
      builder.input(`${what} ${name}`, { dtype: "f32", shape }),
    ) as [Value, Value];
    for (const view of views) {
      const [left, right] = [toRows(gradient, view), toRows(weight, view)];
      for (const group of view.groups) {
        const { factors, size } = group;
        const key = factors.map(({ space, isInverse }) => `${space} ${isInverse}`).join();
        const products = groups.get(key) ?? { factors, size, parts: [] };
        products.parts.push(multiplyRows(left, right, group));
        groups.set(key, products);
      }
    }
  }
  return [...groups.values()];
}
