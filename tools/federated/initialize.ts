import { at, type Checkpoint, createCheckpoint, createRandom, createTensor, sizeOf } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/** What a weight starts as: a constant, or uniform numbers within plus and minus a bound. */
type Start = { readonly value: number } | { readonly bound: number };

/**
 * Makes weights to train a graph of a file from, as PyTorch starts its layers: weights and biases of linear
 * layers and convolutions are uniform within the root of 1 over the fan-in, batch norms do nothing at first.
 */
export function initializeGraph(graph: Graph, seed: number): Checkpoint {
  const starts = new Map(graph.nodes.flatMap(({ op, inputs }) => startsOf(graph, op, inputs)));
  const tensors = [...graph.weights].map(([name, { shape }]) => {
    const start = starts.get(name);
    if (start === undefined) throw new Error(`no start is known for "${name}"`);
    const random = createRandom(seed, name);
    const values = Float32Array.from({ length: sizeOf(shape) }, () =>
      "value" in start ? start.value : start.bound * (2 * random.uniform() - 1),
    );
    return [name, createTensor("f32", shape, values)] as const;
  });
  return createCheckpoint(new Map(tensors));
}

function startsOf(graph: Graph, op: string, inputs: readonly string[]): [string, Start][] {
  if (op === "BatchNormalization") {
    return [1, 0, 0, 1].map((value, i) => [at(inputs, i + 1), { value }]);
  }
  const shape = graph.weights.get(inputs[1] ?? "")?.shape;
  if ((op !== "Conv" && op !== "Gemm") || shape === undefined) return [];
  const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
  return inputs.slice(1).map((name) => [name, { bound }]);
}
