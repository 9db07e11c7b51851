import type { Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { type BuildOptions, GraphBuilder, gemm, tanh, type Value } from "@isthmus/graph/builder";
import { waves } from "./waves.ts";

/** Shapes of the weights of {@link twoLayerMlp}, in the order of their seeds in golden files. */
export const TWO_LAYER_SHAPES: Readonly<Record<string, readonly number[]>> = {
  "a.weight": [4, 5],
  "a.bias": [4],
  "b.weight": [3, 4],
  "b.bias": [3],
};

/** Linear layers 5 -> 4 -> 3 on six examples, as the generators of golden files have them. */
export function twoLayerMlp({
  dtype = "f32",
  activate = tanh,
  ...options
}: { dtype?: "f32" | "f64"; activate?: (x: Value) => Value } & BuildOptions = {}): Graph {
  const builder = new GraphBuilder("mlp", 21);
  const x = builder.input("x", { dtype, shape: [6, 5] });
  const weight = (name: string) => builder.weight(name, { dtype, shape: TWO_LAYER_SHAPES[name] ?? [] });
  const h = activate(gemm(x, weight("a.weight"), { transB: true, bias: weight("a.bias") }));
  return builder.build([gemm(h, weight("b.weight"), { transB: true, bias: weight("b.bias") })], options);
}

/** Makes weights of {@link twoLayerMlp}: waves of which each has the next seed. */
export function twoLayerWeights(seed: number, scale: number): Map<string, Tensor> {
  return new Map(
    Object.entries(TWO_LAYER_SHAPES).map(([name, shape], k) => [name, waves(shape, seed + k, scale)]),
  );
}
