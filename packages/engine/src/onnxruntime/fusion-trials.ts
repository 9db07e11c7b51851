import { createRandom, sizeOf } from "@isthmus/core";
import { encodeGraph, type Graph } from "@isthmus/graph";
import {
  add,
  GraphBuilder,
  gelu,
  gemm,
  matMul,
  mul,
  reshape,
  softmax,
  split,
  transpose,
  type Value,
} from "@isthmus/graph/builder";
import { typesOf } from "@isthmus/graph/ir";
import type { Runtime } from "./runtime.ts";

/** Sizes of {@link attentionGraph}. */
export interface AttentionSizes {
  /** Number of examples. */
  readonly examples: number;
  /** Number of tokens of an example. */
  readonly length: number;
  /** Number of heads. */
  readonly heads: number;
  /** Number of features of a head. */
  readonly width: number;
}

/** Makes a graph of causal self-attention of rows that a matrix product computes. */
export function attentionGraph({ examples, length, heads, width }: AttentionSizes): Graph {
  const builder = new GraphBuilder("attention", 21);
  const features = heads * width;
  const x = builder.input("x", { dtype: "f32", shape: [examples * length, features] });
  const rows = gemm(x, builder.weight("weight", { dtype: "f32", shape: [features, 3 * features] }));
  const [queries, keys, values] = split(rows, 1, [features, features, features]).map((part) =>
    reshape(part, [-1, length, heads, width]),
  ) as [Value, Value, Value];
  const mask = Array.from({ length: length ** 2 }, (_, i) =>
    i % length > Math.floor(i / length) ? -1e9 : 0,
  );
  const scaled = mul(transpose(queries, [0, 2, 1, 3]), 1 / Math.sqrt(width));
  const scores = matMul(scaled, transpose(keys, [0, 2, 3, 1]));
  const weights = softmax(add(scores, builder.numbers(mask, "f32", [length, length])));
  const means = matMul(weights, transpose(values, [0, 2, 1, 3]));
  return builder.build([reshape(transpose(means, [0, 2, 1, 3]), [-1, features])]);
}

/** Makes a graph of GELU of the product of a matrix with weights, and a bias. */
export function geluGraph(
  [rows, terms, columns]: readonly [rows: number, terms: number, columns: number],
  approximate: boolean,
): Graph {
  const builder = new GraphBuilder("gelu", 21);
  const x = builder.input("x", { dtype: "f32", shape: [rows, terms] });
  const weight = builder.weight("weight", { dtype: "f32", shape: [terms, columns] });
  const bias = builder.weight("bias", { dtype: "f32", shape: [columns] });
  return builder.build([gelu(gemm(x, weight, { bias }), { approximate })]);
}

/** Runs a typed graph on normal numbers, the same for each of its inputs in every run. */
export async function runOnRandom(runtime: Runtime, graph: Graph, threads = 1): Promise<Float32Array> {
  const session = await runtime.open(encodeGraph(graph), { threads, optimize: true });
  try {
    const feeds = [...graph.inputs.map(({ name }) => name), ...graph.weights.keys()].map((name) => {
      const random = createRandom(0, name);
      const shape = typesOf(graph).get(name)?.shape ?? [];
      const numbers = Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
      return [name, new runtime.Tensor("float32", numbers, shape)];
    });
    const names = graph.outputs.map(({ name }) => [name, null]);
    const results = await session.run(Object.fromEntries(feeds), Object.fromEntries(names));
    return Object.values(results)[0]?.data as Float32Array;
  } finally {
    await session.release();
  }
}
